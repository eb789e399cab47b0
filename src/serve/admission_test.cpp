// SPDX-License-Identifier: Apache-2.0
#include "serve/admission.hpp"

#include <gmock/gmock.h>

#include "base/files.hpp"
#include "serve/route_list.hpp"
#include "serve/test_client.hpp"

namespace imago::serve {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

/// A server with one route of each scope behind a gate, and a database of keys.
class AdmissionTest : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = TemporaryDirectory::create(fs::temp_directory_path(), "admission test");
    ASSERT_TRUE(folder.has_value());
    folder_.emplace(std::move(*folder));
    auto database = store::Database::open(fmt::format("sqlite:{}", (folder_->path() / "imago.db").string()));
    ASSERT_TRUE(database.has_value()) << database.error().message;
    database_ = std::move(*database);
  }
  void TearDown() override { server_.reset(); }

  void start(access::GateOptions options) {
    server_.reset();
    options.keys = database_.get();
    auto gate = Gate::open(options);
    ASSERT_TRUE(gate.has_value()) << gate.error().message;
    gate_ = std::move(*gate);
    RouteList routes(metrics_, pool_, *gate_, {.cors = &cors_, .audited = database_.get(), .keep_days = keep_days_});
    const auto answer = [](Reply reply) { reply.send_json({{"fine", true}}); };
    routes.add("GET", "/open", Scope::Open, answer);
    routes.add("GET", "/predict", Scope::Predict, answer);
    routes.add_blocking("POST", "/write", Scope::Write, answer);
    routes.add("POST", "/admin", Scope::Admin, answer);
    routes.add("GET", "/busy", Scope::Open, [](Reply reply) {
      reply.fail(Refusal{{ErrorCode::ResourceExhausted, "too many images are waiting"}, Blame::Service, 7});
    });
    routes.add("GET", "/events", Scope::Open, [](Reply reply) { reply.stream_events().send("data: 1\n\n"); });
    const auto errors = [this](int status, std::string_view text, const http::Request& request) {
      http::Response response = error_response(status, code_of_status(status), text, "id");
      count_unhandled(*gate_, request, response, "id");
      return response;
    };
    auto server = http::Server::start({.port = 0}, routes.routes(), errors);
    ASSERT_TRUE(server.has_value());
    server_ = std::move(*server);
  }

  http::ClientResponse send(const std::string& method, std::string_view path, http::Fields headers = {}) {
    return exchange(server_->port(), method, path, std::move(headers));
  }
  int status(const std::string& method, std::string_view path, const std::string& key) {
    return send(method, path, {{"X-API-Key", key}}).status;
  }
  access::NewKey make_key(std::string_view scopes) {
    auto made = access::create_key(*database_, "test", access::parse_scopes(scopes).value());
    EXPECT_TRUE(made.has_value()) << made.error().message;
    return made.value();
  }

  std::optional<TemporaryDirectory> folder_;
  std::unique_ptr<store::Database> database_;
  monitor::ServerMetrics metrics_{"1.0"};
  Cors cors_ = Cors::parse({"https://app.example"}).value();
  int keep_days_ = 0;
  http::WorkPool pool_{1, 8};
  std::unique_ptr<Gate> gate_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(AdmissionTest, AsksForNothingWhileThereIsNoKey) {
  start({});
  EXPECT_EQ(send("GET", "/predict").status, 200);
  EXPECT_EQ(send("POST", "/admin").status, 200);
  EXPECT_FALSE(send("GET", "/predict").headers.contains("RateLimit-Limit"));
}

TEST_F(AdmissionTest, KeepsPagesOfOtherSitesFromChangingThings) {
  start({});
  EXPECT_EQ(send("POST", "/write", {{"Sec-Fetch-Site", "cross-site"}}).status, 403);
  for (const auto* site : {"same-origin", "same-site", "none"})
    EXPECT_EQ(send("POST", "/write", {{"Sec-Fetch-Site", site}}).status, 200) << site;
  EXPECT_EQ(send("GET", "/predict", {{"Sec-Fetch-Site", "cross-site"}}).status, 200);  // a link to it
  const auto key = make_key("write").secret;
  start({});
  EXPECT_EQ(send("POST", "/write", {{"Sec-Fetch-Site", "cross-site"}, {"X-API-Key", key}}).status, 200);
}

TEST_F(AdmissionTest, IsAskedUnderItsOwnNamesOnly) {
  start({.hosts = std::vector<std::string>{"imago.example.org"}});
  const auto status_as = [this](const char* host, const char* method, const char* path, http::Fields headers = {}) {
    headers["Host"] = host;
    return send(method, path, headers).status;
  };
  for (const auto* host : {"localhost:1", "127.0.0.1", "[::1]:8000", "imago.example.org"})
    EXPECT_EQ(status_as(host, "POST", "/write"), 200) << host;
  EXPECT_EQ(status_as("evil.example:8000", "POST", "/write"), 403);
  EXPECT_EQ(status_as("evil.example:8000", "GET", "/predict"), 403) << "an answer could be read";
  EXPECT_EQ(status_as("evil.example:8000", "GET", "/open"), 200);
  const auto refused = send("GET", "/predict", {{"Host", std::string(5000, 'x')}});
  EXPECT_THAT(refused.body, HasSubstr("--allowed-hosts"));
  EXPECT_LT(refused.body.size(), 500U);
  const auto key = make_key("write").secret;
  start({.hosts = std::vector<std::string>{}});
  EXPECT_EQ(status_as("evil.example", "POST", "/write", {{"X-API-Key", key}}), 200) << "who has a key is no stranger";
  EXPECT_EQ(status_as("localhost", "POST", "/write"), 401);
}

TEST_F(AdmissionTest, AsksForAKeyOnceThereIsOne) {
  const auto key = make_key("predict");
  start({});
  EXPECT_EQ(send("GET", "/open").status, 200);
  const auto refused = send("GET", "/predict");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.headers.at("WWW-Authenticate"), R"(Bearer realm="imago")");
  EXPECT_EQ(json::parse(refused.body).value()["code"], "unauthorized");
  EXPECT_EQ(send("GET", "/predict", {{"X-API-Key", key.secret}}).status, 200);
  EXPECT_EQ(send("GET", "/predict", {{"Authorization", "Bearer " + key.secret}}).status, 200);
  EXPECT_EQ(send("GET", "/predict", {{"Authorization", "bearer  " + key.secret}}).status, 200);
  for (const auto& wrong : {key.secret + "0", key.secret.substr(1), std::string("imago_"), key.key.id})
    EXPECT_EQ(status("GET", "/predict", wrong), 401) << wrong;
  EXPECT_EQ(send("GET", "/predict", {{"Authorization", "Basic " + key.secret}}).status, 401);
  EXPECT_EQ(send("GET", "/predict?api_key=" + key.secret).status, 401);
}

TEST_F(AdmissionTest, AsksForAKeyWhenToldTo) {
  start({.require_key = true});
  EXPECT_EQ(send("GET", "/predict").status, 401);
  EXPECT_EQ(send("GET", "/open").status, 200);
}

TEST_F(AdmissionTest, HoldsAKeyToItsScopes) {
  const auto predict = make_key("predict").secret;
  const auto write = make_key("write").secret;
  const auto both = make_key("predict,write").secret;
  const auto admin = make_key("admin").secret;
  start({});
  EXPECT_EQ(status("GET", "/predict", predict), 200);
  EXPECT_EQ(status("POST", "/write", predict), 403);
  EXPECT_EQ(status("POST", "/admin", predict), 403);
  EXPECT_EQ(status("GET", "/predict", write), 403);
  EXPECT_EQ(status("POST", "/write", write), 200);
  EXPECT_EQ(status("GET", "/predict", both), 200);
  EXPECT_EQ(status("POST", "/write", both), 200);
  EXPECT_EQ(status("POST", "/admin", both), 403);
  EXPECT_EQ(status("GET", "/predict", admin), 200);
  EXPECT_EQ(status("POST", "/write", admin), 200);
  EXPECT_EQ(status("POST", "/admin", admin), 200);
}

TEST_F(AdmissionTest, TellsWhatAKeyLacksAndLogsNoKey) {
  const auto key = make_key("predict");
  start({});
  testing::internal::CaptureStderr();
  const auto forbidden = send("POST", "/admin", {{"X-API-Key", key.secret}});
  send("POST", "/admin", {{"X-API-Key", "imago_wrong"}});
  const std::string logged = testing::internal::GetCapturedStderr();
  EXPECT_EQ(json::parse(forbidden.body).value()["error"],
            fmt::format("key {} is for predict; this needs admin", key.key.id));
  EXPECT_THAT(logged, HasSubstr("403 for POST /admin from 127.0.0.1"));
  EXPECT_THAT(logged, HasSubstr("401 for POST /admin from 127.0.0.1"));
  EXPECT_THAT(logged, Not(HasSubstr(key.secret)));
  EXPECT_THAT(logged, Not(HasSubstr("imago_wrong")));
}

TEST_F(AdmissionTest, LimitsAClientAndTellsItWhenToComeBack) {
  start({.requests_per_minute = 5, .trust_loopback = false});
  for (int left = 4; left >= 0; --left) {
    const auto answer = send("GET", "/open");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.at("RateLimit-Limit"), "5");
    EXPECT_EQ(answer.headers.at("RateLimit-Remaining"), std::to_string(left));
    EXPECT_THAT(answer.headers.at("RateLimit-Reset"), MatchesRegex("[0-9]+"));
  }
  for (const auto* path : {"/open", "/predict", "/nosuch", "/events"}) {
    const auto refused = send("GET", path, {{"X-Forwarded-For", "203.0.113.77"}});
    EXPECT_EQ(refused.status, 429) << path;
    EXPECT_EQ(json::parse(refused.body).value()["code"], "too_many_requests");
    EXPECT_EQ(refused.headers.at("RateLimit-Remaining"), "0");
    const int wait = std::stoi(refused.headers.at("Retry-After"));
    EXPECT_GE(wait, 1);
    EXPECT_LE(wait, 12);
  }
}

TEST_F(AdmissionTest, TellsWhenThereShouldBeRoomAgain) {
  start({});
  const auto busy = send("GET", "/busy");
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.headers.at("Retry-After"), "7");
}

TEST_F(AdmissionTest, CountsWhatNoHandlerSees) {
  start({.requests_per_minute = 3, .trust_loopback = false});
  const auto unknown = send("GET", "/nosuch");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.headers.at("RateLimit-Remaining"), "2");
  EXPECT_EQ(send("DELETE", "/open").status, 405);
  EXPECT_EQ(send("GET", "/events").headers.at("RateLimit-Remaining"), "0");
  EXPECT_EQ(send("GET", "/nosuch").status, 429);
}

TEST_F(AdmissionTest, NotesWritesBeforeTheyAreAnswered) {
  const auto noted = [this] { return access::read_audit(*database_, {}).value(); };
  start({});
  send("GET", "/open");
  send("GET", "/predict");
  EXPECT_THAT(noted(), testing::IsEmpty());
  send("POST", "/write", {{"X-Request-ID", "mine"}});
  ASSERT_THAT(noted(), testing::SizeIs(1));
  EXPECT_EQ(noted().front().action, "POST /write");
  EXPECT_EQ(noted().front().who, "127.0.0.1");
  EXPECT_EQ(noted().front().outcome, "ok");
  EXPECT_EQ(noted().front().request_id, "mine");
}

TEST_F(AdmissionTest, ForgetsOldNotesWhenToldTo) {
  keep_days_ = 30;
  for (int i = 0; i < 2; ++i)
    ASSERT_TRUE(access::append_audit(*database_, {.time = "2020-01-01T00:00:00.000Z", .via = "cli"}).has_value());
  start({});
  send("POST", "/write");
  send("GET", "/open");
  const auto noted = access::read_audit(*database_, {}).value();
  ASSERT_THAT(noted, testing::SizeIs(2));
  EXPECT_EQ(noted[0].number, 4);
  EXPECT_EQ(noted[0].who, "imago serve");
  EXPECT_THAT(noted[0].target, testing::StartsWith("2 entries before "));
  EXPECT_EQ(noted[1].action, "POST /write");
}

TEST_F(AdmissionTest, NotesRefusedWritesByKeyWithoutItsSecret) {
  const auto key = make_key("predict");
  start({});
  EXPECT_EQ(status("POST", "/write", key.secret), 403);
  EXPECT_EQ(status("POST", "/write", "imago_wrong"), 401);
  server_.reset();
  std::vector<access::AuditEntry> noted;
  while (noted.size() < 2) noted = access::read_audit(*database_, {}).value();  // they are stored soon, not at once
  EXPECT_EQ(noted[1].who, fmt::format("key test ({})", key.key.id));
  EXPECT_EQ(noted[1].status, "403");
  EXPECT_EQ(noted[0].who, "127.0.0.1");
  for (const auto& entry : noted)
    EXPECT_THAT(json::dump(access::to_json(entry)),
                testing::AllOf(Not(HasSubstr(key.secret)), Not(HasSubstr("wrong"))));
}

TEST_F(AdmissionTest, LetsPagesOfNamedSitesChangeThings) {
  start({});
  const http::Fields page{{"Origin", "https://app.example"}, {"Sec-Fetch-Site", "cross-site"}};
  const auto answer = send("POST", "/write", page);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(send("POST", "/write", {{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}}).status, 403);
}

TEST_F(AdmissionTest, HoldsAKeyToItsOwnRate) {
  const auto slow = access::create_key(*database_, "slow", {Scope::Predict}, 2).value().secret;
  const auto any = make_key("predict").secret;
  start({.requests_per_minute = 4, .trust_loopback = false});
  EXPECT_EQ(status("GET", "/predict", slow), 200);
  EXPECT_EQ(status("GET", "/predict", slow), 200);
  EXPECT_EQ(status("GET", "/predict", slow), 429);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(status("GET", "/predict", any), 200) << "its own bucket and the address's";
  EXPECT_EQ(status("GET", "/predict", any), 429);
  start({.requests_per_minute = 0});
  EXPECT_EQ(status("GET", "/predict", any), 200);
}

TEST_F(AdmissionTest, LetsTrustedClientsAskAsTheyLike) {
  start({.requests_per_minute = 1});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(send("GET", "/open").status, 200);
  EXPECT_FALSE(send("GET", "/open").headers.contains("RateLimit-Limit"));
  start(
      {.requests_per_minute = 1, .trusted = {access::Network::parse("127.0.0.0/8").value()}, .trust_loopback = false});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(send("GET", "/open").status, 200);
}

}  // namespace
}  // namespace imago::serve
