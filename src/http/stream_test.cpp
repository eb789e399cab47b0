// SPDX-License-Identifier: Apache-2.0
// Answers that are written bit by bit, on a running server.
#include <semaphore>
#include <thread>

#include "http/test_server.hpp"

namespace imago::http {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::read_all;
using testing::read_until;
using ::testing::StartsWith;
using testing::write_all;
using testing::write_error;

class StreamTest : public testing::RunningServer {
 protected:
  std::vector<Route> routes() override {
    return {{"GET", "/stream", [this](const Request&, Responder r) {
               streams_.push_back(r.stream({.headers = {{"Content-Type", "text/event-stream"}}, .body = "ignored"}));
               streaming_.release();
             }}};
  }

  /// A connection that asked for /stream and has its stream.
  [[nodiscard]] int connect_to_stream() {
    const int fd = connect_and_get("/stream");
    streaming_.acquire();
    return fd;
  }

  std::vector<Stream> streams_;  // one loop adds to them, and only before streaming_ is released

 private:
  std::counting_semaphore<> streaming_{0};
};

TEST_F(StreamTest, SendsEachPieceOfAStreamWhenItComes) {
  start();
  const int fd = connect_to_stream();
  const std::string head = read_until(fd, "\r\n\r\n");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(head, HasSubstr("text/event-stream"));
  for (const auto* piece : {"data: 1\n\n", "data: 2\n\n", "data: 3\n\n"}) {
    ASSERT_TRUE(streams_[0].send(piece));
    EXPECT_THAT(read_until(fd, piece), HasSubstr(piece));  // the stream is still open: it would wait here for ever
  }
  ASSERT_TRUE(streams_[0].send("the rest"));
  streams_.clear();
  EXPECT_THAT(read_until(fd, "0\r\n\r\n"), HasSubstr("the rest"));
  write_all(fd, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(read_all(fd), HasSubstr("hello"));
  close(fd);
}

TEST_F(StreamTest, KeepsTheOrderOfWhatAnotherThreadStreams) {
  start();
  const int fd = connect_to_stream();
  std::string sent;
  for (int i = 0; i < 20'000; ++i) sent += fmt::format("{};", i);
  std::thread sender([&] {
    for (std::size_t at = 0; at < sent.size(); at += 7) EXPECT_TRUE(streams_[0].send(sent.substr(at, 7)));
    streams_.clear();
  });
  std::string got = read_until(fd, "0\r\n\r\n");
  sender.join();
  close(fd);
  std::string body;
  for (std::size_t at = got.find("\r\n\r\n") + 4; at < got.size();) {
    const std::size_t size = std::stoul(got.substr(at, 8), nullptr, 16);
    at = got.find("\r\n", at) + 2;
    body += got.substr(at, size);
    at += size + 2;
  }
  EXPECT_TRUE(body == sent) << body.size() << " of " << sent.size();
}

TEST_F(StreamTest, TellsTheSenderThatTheClientOfAStreamHasGone) {
  start();
  const int fd = connect_to_stream();
  EXPECT_TRUE(streams_[0].send("hello"));
  close(fd);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  bool alive = true;
  while (alive && std::chrono::steady_clock::now() < give_up) {
    alive = streams_[0].send(".");
    std::this_thread::yield();
  }
  EXPECT_FALSE(alive);
  EXPECT_EQ(send("GET", "/hello").status, 200);
}

TEST_F(StreamTest, EndsAStreamWhoseClientDoesNotRead) {
  start();
  const int fd = connect_to_stream();
  const std::string piece(64 * 1024, 'x');
  int accepted = 0;
  while (accepted < 10'000 && streams_[0].send(piece)) ++accepted;
  EXPECT_LT(accepted, 1000);  // what the sockets hold, and 1 MiB
  EXPECT_FALSE(streams_[0].send("."));
  EXPECT_EQ(send("GET", "/hello").status, 200);
  close(fd);
}

TEST_F(StreamTest, StreamsToNobodyWhenTheClientLeftBefore) {
  start({.threads = 1});
  const int fd = connect_and_get("/later");
  Responder responder = waiting_.get_future().get();
  server_.reset();
  Stream stream = responder.stream({});
  EXPECT_FALSE(stream.send("x"));
  close(fd);
}

TEST_F(StreamTest, EndsOpenStreamsAtOnceWhenDrained) {
  start();
  const int quiet = connect_to_stream();
  const int stuck = connect_to_stream();
  EXPECT_TRUE(streams_[0].send("last words"));
  const std::string piece(64 * 1024, 'x');
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(streams_[1].send(piece));
  EXPECT_THAT(read_until(quiet, "last words"), HasSubstr("last words"));
  const auto began = std::chrono::steady_clock::now();
  server_->drain(std::chrono::seconds(60));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
  EXPECT_FALSE(streams_[0].send("x"));
  EXPECT_FALSE(streams_[1].send("x"));
  EXPECT_THAT(read_all(quiet), EndsWith("0\r\n\r\n"));
  close(quiet);
  close(stuck);
}

TEST_F(StreamTest, DrainsWhileStreamsBeginAndEnd) {
  for (int round = 0; round < 30; ++round) {
    auto server = Server::start({.port = 0, .threads = 2},
                                {{"GET", "/stream",
                                  [](const Request&, Responder r) {
                                    Stream stream = r.stream({});
                                    for (int i = 0; i < 3; ++i) stream.send("piece");
                                  }}},
                                &write_error);
    ASSERT_TRUE(server.has_value());
    const auto address = fmt::format("http://127.0.0.1:{}/stream", (*server)->port());
    std::atomic<bool> done{false};
    std::thread client([&] {
      while (!done) static_cast<void>(fetch({.url = address, .timeout = std::chrono::milliseconds(500)}));
    });
    (*server)->drain(std::chrono::seconds(1));
    done = true;
    client.join();
  }
}

TEST_F(StreamTest, AnswersHeadOfAStreamWithoutABody) {
  start();
  const auto response = send("HEAD", "/stream");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
}

}  // namespace
}  // namespace imago::http
