// SPDX-License-Identifier: Apache-2.0
#include "load/http_transport.hpp"

#include <gmock/gmock.h>

#include <atomic>

#include "base/files.hpp"
#include "http/server.hpp"
#include "image/decode.hpp"

namespace imago::load {
namespace {

using testing::HasSubstr;

TEST(HostOf, IsTheHostAndNothingThatLooksLikeIt) {
  EXPECT_EQ(http::host_of("http://LocalHost:8000/x").value(), "localhost");
  EXPECT_EQ(http::host_of("https://[::1]:8000").value(), "::1");
  EXPECT_EQ(http::host_of("http://127.0.0.1@example.org/").value(), "example.org");
  EXPECT_EQ(http::host_of("http://localhost:80@example.org:80").value(), "example.org");
  for (const char* bad : {"", "localhost:8000", "ftp://localhost", "http://", "file:///etc/passwd", "http://a b/"})
    EXPECT_FALSE(http::host_of(bad)) << bad;
}

/// A server that gives each picture the class its first byte says.
class TransportTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto answer = [this](const http::Request& request, http::Responder responder) {
      ++requests_;
      type_ = request.header("Content-Type");
      key_ = request.header("X-API-Key");
      responder.send(
          {.status = status_, .body = fmt::format(R"({{"class_index":{}}})", int{request.body.at(0)} - 'a')});
    };
    const auto write_error = [](int status, std::string_view text, const http::Request&) {
      return http::Response{.status = status, .body = std::string(text)};
    };
    server_ = http::Server::start({.port = 0, .threads = 1}, {{"POST", "/predict", answer}}, write_error).value();
  }
  [[nodiscard]] HttpTarget target() const {
    return {.url = fmt::format("http://127.0.0.1:{}/", server_->port()), .api_key = "secret", .form = Form::Raw};
  }

  std::atomic<int> requests_{0};
  std::atomic<int> status_{200};
  std::string type_, key_;  // of the last request
  std::unique_ptr<http::Server> server_;
  std::atomic<bool> stop_{false};
};

TEST_F(TransportTest, AsksForTheClassesThenDrivesTheServerAndFindsThemAgain) {
  const Pictures pictures{"c", "a", "bb", "d"};
  const auto transport = HttpTransport::open(target(), 3, pictures).value();
  const auto classes = ask_classes(*transport, pictures.size(), stop_);
  EXPECT_EQ(classes.value(), (std::vector<int>{2, 0, 1, 3}));
  EXPECT_EQ(key_, "secret");
  EXPECT_EQ(type_, "application/octet-stream");
  const auto measured = drive(*transport, {.seconds = std::chrono::milliseconds(200)}, *classes, system_clock(), stop_,
                              [](const auto&) {});
  EXPECT_GT(measured.right, 10U);
  EXPECT_EQ(measured.wrong + measured.failed, 0U);
  EXPECT_EQ(transport->idle(), 3U);
  const auto paced = drive(*transport, {.seconds = std::chrono::milliseconds(200), .rate = 100.0, .pace = Pace::Fixed},
                           *classes, system_clock(), stop_, [](const auto&) {});
  EXPECT_NEAR(static_cast<double>(paced.right), 20.0, 1.0);
}

TEST_F(TransportTest, EndsWithTheServersWordsWhenItDoesNotAnswerOnce) {
  status_ = 401;
  const auto transport = HttpTransport::open(target(), 2, {"a", "b"}).value();
  const auto classes = ask_classes(*transport, 2, stop_);
  ASSERT_FALSE(classes.has_value());
  EXPECT_THAT(classes.error().message, HasSubstr("/predict answers 401"));
}

TEST_F(TransportTest, SaysSoWhenNobodyIsThere) {
  const auto gone = target();
  server_.reset();
  const auto transport = HttpTransport::open(gone, 2, {"a"}).value();
  const auto classes = ask_classes(*transport, 1, stop_);
  ASSERT_FALSE(classes.has_value());
  EXPECT_THAT(classes.error().message, HasSubstr("no answer"));
}

TEST(Pictures, AreTheSameEachTimeAndCanBeSentInEveryForm) {
  const auto pictures = drawn_pictures(32, 3).value();
  EXPECT_EQ(pictures, drawn_pictures(32, 3).value());
  EXPECT_EQ(image::probe(as_bytes(pictures[0])).value().format, image::Format::Jpeg);
  EXPECT_EQ(body_of(Form::Raw, pictures[0]).value(), pictures[0]);
  EXPECT_THAT(body_of(Form::Multipart, pictures[0]).value(), HasSubstr(pictures[0]));
  const auto parsed = json::parse(body_of(Form::Json, pictures[0]).value()).value();
  EXPECT_EQ(parsed["image"].size(), 32U);
  EXPECT_EQ(parsed["image"][31].size(), 32U);
  EXPECT_EQ(parsed["image"][31][31].size(), 3U);
}

TEST(Pictures, AreSpreadOverAFolderPassingOverWhatIsNoImage) {
  const auto folder = TemporaryDirectory::create(fs::temp_directory_path(), "pictures-test").value();
  const auto drawn = drawn_pictures(16, 8).value();
  for (std::size_t i = 0; i < drawn.size(); ++i)
    ASSERT_TRUE(write_file(folder.path() / fmt::format("{}.jpg", i), drawn[i]));
  ASSERT_TRUE(write_file(folder.path() / "notes.txt", "no image"));
  EXPECT_EQ(pictures_in_folder(folder.path(), 100).value(), drawn);
  EXPECT_EQ(pictures_in_folder(folder.path(), 3).value(), (Pictures{drawn[0], drawn[3], drawn[6]}));
  EXPECT_FALSE(pictures_in_folder(folder.path() / "absent", 3));
}

}  // namespace
}  // namespace imago::load
