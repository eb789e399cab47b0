// SPDX-License-Identifier: Apache-2.0
#include "data/fetch.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "data/test_data.hpp"

namespace imago::data {
namespace {

using ::testing::HasSubstr;

/// An HTTP server on loopback that knows one file; one request a connection.
class TinyServer {
 public:
  std::string content;
  bool ranges = true;           ///< knows Range
  std::size_t break_after = 0;  ///< closes after so many bytes of the body; 0: never
  std::vector<std::string> asked;

  TinyServer() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_.get(), 4), 0);
    EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~TinyServer() {
    ::shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }
  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}/file", port_); }

 private:
  void serve() {
    for (;;) {
      const UniqueFd peer(::accept(socket_.get(), nullptr, nullptr));
      if (!peer) return;
      std::string request;
      char buffer[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const auto got = ::recv(peer.get(), buffer, sizeof buffer, 0);
        if (got <= 0) break;
        request.append(buffer, static_cast<std::size_t>(got));
      }
      asked.push_back(request);
      answer(peer.get(), request);
    }
  }
  void answer(int peer, const std::string& request) const {
    std::size_t first = 0;
    const auto range = request.find("Range: bytes=");
    if (ranges && range != std::string::npos) first = std::stoul(request.substr(range + 13));
    std::string reply;
    if (first > 0 && first >= content.size()) {
      reply = "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n";
    } else {
      reply = first > 0 ? fmt::format("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {}-{}/{}\r\n", first,
                                      content.size() - 1, content.size())
                        : "HTTP/1.1 200 OK\r\n";
      reply += fmt::format("Content-Length: {}\r\nConnection: close\r\n\r\n", content.size() - first);
      reply += content.substr(first, break_after > 0 ? break_after : std::string::npos);
    }
    ::send(peer, reply.data(), reply.size(), MSG_NOSIGNAL);
  }

  UniqueFd socket_;
  int port_ = 0;
  std::thread thread_;
};

class Fetch : public testing::FolderTest {
 protected:
  Fetch() {
    for (int i = 0; i < 100'000; ++i) content_ += static_cast<char>(i * 31 >> 3);
  }
  [[nodiscard]] Download what(const TinyServer& server) const { return {server.url(), sha256(content_)}; }
  [[nodiscard]] fs::path target() const { return folder() / "down" / "file"; }
  [[nodiscard]] fs::path part() const { return folder() / "down" / "file.part"; }

  std::string content_;
};

TEST_F(Fetch, DownloadsChecksAndReportsProgress) {
  TinyServer server;
  server.content = content_;
  std::uint64_t last = 0;
  const auto got = download(
      what(server), target(),
      [&](std::uint64_t done, std::uint64_t total) {
        EXPECT_LE(done, total);
        last = done;
      },
      nullptr);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(read_file(target()).value(), content_);
  EXPECT_EQ(last, content_.size());
  EXPECT_FALSE(fs::exists(part()));
  ASSERT_TRUE(download(what(server), target(), {}, nullptr));  // there already: the server is not asked
  EXPECT_EQ(server.asked.size(), 1U);
}

TEST_F(Fetch, ContinuesWhereABrokenDownloadEnded) {
  TinyServer server;
  server.content = content_;
  server.break_after = 40'000;
  const auto broken = download(what(server), target(), {}, nullptr);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::Unavailable);
  EXPECT_FALSE(fs::exists(target()));
  EXPECT_EQ(fs::file_size(part()), 40'000U);
  server.break_after = 0;
  const auto got = download(what(server), target(), {}, nullptr);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(read_file(target()).value(), content_);
  EXPECT_THAT(server.asked.back(), HasSubstr("Range: bytes=40000-"));
}

TEST_F(Fetch, StartsOverWhenTheServerCannotContinue) {
  TinyServer server;
  server.content = content_;
  server.ranges = false;
  put("down/file.part", content_.substr(0, 1000));
  const auto got = download(what(server), target(), {}, nullptr);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(read_file(target()).value(), content_);
}

TEST_F(Fetch, FinishesAPartThatIsWholeAlready) {
  TinyServer server;
  server.content = content_;
  put("down/file.part", content_);
  const auto got = download(what(server), target(), {}, nullptr);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(read_file(target()).value(), content_);
}

TEST_F(Fetch, ThrowsAwayWhatHasAnotherChecksum) {
  TinyServer server;
  server.content = content_ + "x";
  const auto got = download(what(server), target(), {}, nullptr);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::Corrupt);
  EXPECT_FALSE(fs::exists(part()));
  EXPECT_FALSE(fs::exists(target()));
}

TEST_F(Fetch, StopsWhenAskedAndIsUnavailableWithoutAServer) {
  std::string nowhere;
  {
    TinyServer server;
    server.content = content_;
    const std::atomic<bool> stop{true};
    EXPECT_EQ(download(what(server), target(), {}, &stop).error().code, ErrorCode::Cancelled);
    nowhere = server.url();
  }
  EXPECT_EQ(download({nowhere, sha256(content_)}, target(), {}, nullptr).error().code, ErrorCode::Unavailable);
}

TEST_F(Fetch, FindsADataSetInTheFolderThatWasGiven) {
  put("a/cifar-10-python.tar.gz", "x");
  EXPECT_EQ(locate_cifar10({.from = folder() / "a"})->path, folder() / "a" / "cifar-10-python.tar.gz");
  put("b/data_batch_1.bin", "x");
  put("b/test_batch.bin", "x");
  EXPECT_EQ(locate_cifar10({.from = folder() / "b"})->path, folder() / "b");
  EXPECT_EQ(locate_cifar10({.from = folder() / "b" / "test_batch.bin"})->found, "--from");
  put("d/cifar-100-python/train", "x");
  EXPECT_EQ(locate_cifar100({.from = folder() / "d"})->path, folder() / "d" / "cifar-100-python");
  put("c/other", "x");
  const auto none = locate_cifar10({.from = folder() / "c"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::NotFound);
  EXPECT_THAT(none.error().message, HasSubstr("cifar-10-binary.tar.gz"));
  EXPECT_THAT(locate_cifar100({.from = folder() / "c"}).error().message, HasSubstr("cifar-100-binary.tar.gz"));
  EXPECT_EQ(locate_cats_dogs({.from = folder() / "missing"}).error().code, ErrorCode::NotFound);
}

TEST_F(Fetch, LooksWhereTheEnvironmentSays) {
  put("env/cats-dogs.tar", "x");
  const char* before = std::getenv("IMAGO_DATA");
  const std::string kept = before != nullptr ? before : "";
  ::setenv("IMAGO_DATA", (folder() / "env").c_str(), 1);
  const auto found = locate_cats_dogs({});
  before != nullptr ? ::setenv("IMAGO_DATA", kept.c_str(), 1) : ::unsetenv("IMAGO_DATA");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->path, folder() / "env" / "cats-dogs.tar");
  EXPECT_EQ(found->found, "$IMAGO_DATA");
}

}  // namespace
}  // namespace imago::data
