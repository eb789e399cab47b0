// SPDX-License-Identifier: Apache-2.0
// Against a server that says what a test wants to hear; tests/end_to_end/test_evaluate.py asks a real one.
#include "pipeline/remote_model.hpp"

#include <gmock/gmock.h>

#include "http/server.hpp"

namespace imago::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kStatus =
    R"({"model":{"name":"pets","version":3,"digest":"abc","labels":["cat","dog"]},"status":"ready"})";
constexpr const char* kAnswer = R"({"probabilities":[0.25,0.75],"model":"pets","model_version":3})";

class Remote : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<http::Route> routes;
    routes.push_back(
        {"GET", "/status", [this](const http::Request&, http::Responder r) { r.send(json(200, status_)); }});
    routes.push_back({"POST", "/predict", [this](const http::Request& request, http::Responder r) {
                        body_ = std::string(request.body);
                        key_ = std::string(request.header("X-API-Key"));
                        r.send(json(code_, answer_));
                      }});
    auto started =
        http::Server::start({.port = 0}, std::move(routes),
                            [](int code, std::string_view, const http::Request&) { return json(code, "{}"); });
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }
  static http::Response json(int status, std::string body) {
    return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = std::move(body)};
  }
  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}", server_->port()); }

  std::string status_ = kStatus;
  std::string answer_ = kAnswer;
  int code_ = 200;
  std::string body_, key_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(Remote, KnowsWhatIsServedAndSendsFilesAsTheyAre) {
  auto remote = RemoteModel::connect(url() + "/", "imago_key").value();
  EXPECT_EQ(remote.name(), "pets:3");
  EXPECT_EQ(remote.digest(), "abc");
  EXPECT_EQ(remote.url(), url());
  EXPECT_THAT(remote.labels(), ElementsAre("cat", "dog"));
  EXPECT_THAT(remote.classify("the bytes of a file")->probabilities, ElementsAre(0.25, 0.75));
  EXPECT_EQ(body_, "the bytes of a file");
  EXPECT_EQ(key_, "imago_key");
}

TEST_F(Remote, PassesOnTheServersOwnWords) {
  auto remote = RemoteModel::connect(url(), "").value();
  code_ = 429;
  answer_ = R"({"error":"too many requests"})";
  const auto refused = remote.classify("x");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("too many requests (429)"));
}

TEST_F(Remote, StopsWhenAnotherVersionAnswers) {
  auto remote = RemoteModel::connect(url(), "").value();
  answer_ = R"({"probabilities":[0.25,0.75],"model":"pets","model_version":4})";
  EXPECT_THAT(remote.classify("x").error().message, HasSubstr("pets:3, and now with pets:4"));
}

TEST_F(Remote, HearsWhyTheServerAbstains) {
  auto remote = RemoteModel::connect(url(), "").value();
  EXPECT_EQ(remote.classify("x")->doubt, model::Doubt::None);
  answer_ = R"({"probabilities":[0.25,0.75],"model":"pets","model_version":3,"abstained_because":"energy"})";
  EXPECT_EQ(remote.classify("x")->doubt, model::Doubt::Energy);
  answer_ = R"({"probabilities":[0.25,0.75],"model":"pets","model_version":3,"abstained_because":"mood"})";
  EXPECT_THAT(remote.classify("x").error().message, HasSubstr("mood"));
}

TEST_F(Remote, RefusesAnAnswerThatLeavesClassesOut) {
  auto remote = RemoteModel::connect(url(), "").value();
  answer_ = R"({"probabilities":[1.0],"model":"pets","model_version":3})";
  EXPECT_THAT(remote.classify("x").error().message, HasSubstr("1 probabilities for 2 classes"));
}

TEST_F(Remote, SaysWhyNothingCanBeMeasured) {
  status_ = R"({"model":null,"reason":"no model yet"})";
  EXPECT_THAT(RemoteModel::connect(url(), "").error().message, HasSubstr("no model yet"));
  status_ = R"({"hello":"world"})";
  EXPECT_EQ(RemoteModel::connect(url(), "").error().code, ErrorCode::Unsupported);
  status_ = "<html>";
  EXPECT_THAT(RemoteModel::connect(url(), "").error().message, HasSubstr("no JSON object"));
  const std::string gone = url();
  server_.reset();
  EXPECT_EQ(RemoteModel::connect(gone, "").error().code, ErrorCode::Unavailable);
}

}  // namespace
}  // namespace imago::pipeline
