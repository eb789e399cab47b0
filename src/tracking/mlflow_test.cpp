// SPDX-License-Identifier: Apache-2.0
// Against a server in this process that keeps what it is told, as MLflow 3.17 answers. tests/end_to_end/test_mlflow.py
// does it with a real one.
#include "tracking/mlflow.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <latch>

#include "base/files.hpp"
#include "http/server.hpp"

namespace imago::tracking {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

class FakeMlflow {
 public:
  FakeMlflow() {
    const auto on = [this](const char* method, const std::string& path) {
      return http::Route{method, path, [this](const http::Request& request, http::Responder responder) {
                           responder.send(answer(request));
                         }};
    };
    const std::string api = "/api/2.0/mlflow/";
    std::vector<http::Route> routes{on("GET", api + "experiments/get-by-name"),
                                    on("POST", api + "experiments/create"),
                                    on("POST", api + "runs/search"),
                                    on("POST", api + "runs/create"),
                                    on("POST", api + "runs/log-batch"),
                                    on("POST", api + "runs/update"),
                                    on("GET", api + "registered-models/get"),
                                    on("POST", api + "registered-models/create"),
                                    on("POST", api + "registered-models/alias"),
                                    on("GET", api + "model-versions/search"),
                                    on("POST", api + "model-versions/create"),
                                    on("PUT", "/api/2.0/mlflow-artifacts/artifacts/{path...}")};
    server_ = http::Server::start(
                  {.port = 0, .threads = 1}, std::move(routes),
                  [](int status, std::string_view, const http::Request&) { return http::Response{.status = status}; })
                  .value();
  }
  [[nodiscard]] MlflowServer address() const {
    return {.uri = fmt::format("http://127.0.0.1:{}", server_->port()), .call_timeout = milliseconds(2000)};
  }

  std::atomic<int> failing_with = 0;  ///< a status for every answer
  std::string artifact_uri = "mlflow-artifacts:/1/r1/artifacts";

  struct Kept {
    std::vector<std::string> calls;
    std::vector<std::string> authorizations;
    std::map<std::string, std::string> params, tags, artifacts;
    std::vector<json::Value> metrics;
    std::vector<std::size_t> batch_sizes;
    json::Value created, updated;
    int runs = 0;
    std::vector<json::Value> models, versions;   ///< as they were asked to be made
    std::map<std::string, std::string> aliases;  ///< to MLflow's versions
  };
  Kept kept() {
    const std::scoped_lock lock(mutex_);
    return kept_;
  }
  /// Waits, ten seconds at most, until `done` says of what is kept.
  bool wait_for(const std::function<bool(const Kept&)>& done) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return done(kept_); });
  }

 private:
  http::Response answer(const http::Request& request) {
    const std::scoped_lock lock(mutex_);
    const std::string call = request.path.substr(request.path.rfind('/') + 1);
    kept_.calls.push_back(call);
    kept_.authorizations.emplace_back(request.header("Authorization"));
    changed_.notify_all();
    if (failing_with != 0) return {.status = failing_with, .body = R"({"message":"out of order"})"};
    if (request.path.find("model") != std::string::npos && request.method != "PUT")
      return answer_of_models(request, call);
    if (request.method == "PUT") {
      kept_.artifacts[request.captures.at("path")] = request.body;
      return {.body = "{}"};
    }
    if (call == "get-by-name") {
      if (experiment_.empty()) return {.status = 404, .body = R"({"error_code":"RESOURCE_DOES_NOT_EXIST"})"};
      return {.body = R"({"experiment":{"experiment_id":"1"}})"};
    }
    const auto body = json::parse(request.body).value();
    if (call == "create" && body.contains("name")) {
      experiment_ = body["name"];
      return {.body = R"({"experiment_id":"1"})"};
    }
    const json::Value run{{"info", {{"run_id", "r1"}, {"experiment_id", "1"}, {"artifact_uri", artifact_uri}}}};
    if (call == "search") {
      if (kept_.runs == 0) return {.body = "{}"};
      return {.body = json::dump({{"runs", {run}}})};
    }
    if (call == "create") {
      ++kept_.runs;
      kept_.created = body;
      return {.body = json::dump({{"run", run}})};
    }
    if (call == "update") kept_.updated = body;
    if (call == "log-batch") keep_batch(body);
    return {.body = "{}"};
  }

  http::Response answer_of_models(const http::Request& request, const std::string& call) {
    const bool versions = request.path.find("model-versions") != std::string::npos;
    if (call == "get" && kept_.models.empty()) return {.status = 404, .body = R"({"message":"no such model"})"};
    if (call == "get") return {.body = R"({"registered_model":{}})"};
    if (call == "search") {
      json::Value rows = json::Value::array();
      for (std::size_t i = 0; i < kept_.versions.size(); ++i)
        rows.push_back({{"version", fmt::format("{}", i + 1)}, {"tags", kept_.versions[i]["tags"]}});
      return {.body = json::dump({{"model_versions", rows}})};
    }
    const auto body = json::parse(request.body).value();
    if (call == "alias") kept_.aliases[body["alias"]] = body["version"];
    if (call == "create") (versions ? kept_.versions : kept_.models).push_back(body);
    return {.body = versions ? fmt::format(R"({{"model_version":{{"version":"{}"}}}})", kept_.versions.size()) : "{}"};
  }

  void keep_batch(const json::Value& body) {
    for (const auto& param : body["params"]) kept_.params[param["key"]] = param["value"];
    for (const auto& tag : body["tags"]) kept_.tags[tag["key"]] = tag["value"];
    for (const auto& metric : body["metrics"]) kept_.metrics.push_back(metric);
    kept_.batch_sizes.push_back(body["params"].size() + body["tags"].size() + body["metrics"].size());
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Kept kept_;
  std::string experiment_;
  std::unique_ptr<http::Server> server_;  // last: it goes first
};

class Mlflow : public testing::Test {
 protected:
  tracking::Run new_run() {
    return runs_
        .create("train",
                {{"dataset", "pets@1"},
                 {"model", "pets"},
                 {"seed", 7},
                 {"recipe", {{"name", "quick"}, {"epochs", 2}, {"seed", 3}, {"optimizer", {{"kind", "sgd"}}}}}})
        .value();
  }
  void log(const tracking::Run& run, std::int64_t step, double loss) {
    EXPECT_TRUE(runs_.log_metrics(run.id, step, {{"loss", loss}}).has_value());
  }

  TemporaryDirectory folder_ = TemporaryDirectory::create(fs::temp_directory_path(), "mlflow-test").value();
  std::unique_ptr<store::Database> database_ =
      store::Database::open(fmt::format("sqlite:{}", (folder_.path() / "imago.db").string())).value();
  RunStore runs_{*database_};
  FakeMlflow mlflow_;
};

TEST_F(Mlflow, FlattensTheRecipeIntoParams) {
  const auto params = mlflow_params(new_run().params);
  const std::map<std::string, std::string> expected{{"dataset", "pets@1"},    {"model", "pets"}, {"seed", "7"},
                                                    {"recipe", "quick"},      {"epochs", "2"},   {"recipe.seed", "3"},
                                                    {"optimizer.kind", "sgd"}};
  EXPECT_EQ(params, expected);
}

TEST_F(Mlflow, SendsEachPointOnce) {
  const auto run = new_run();
  MlflowCopy copy(mlflow_.address(), runs_, run.id);
  log(run, 1, 2.0);
  ASSERT_TRUE(copy.update().has_value());
  log(run, 2, 1.0);
  ASSERT_TRUE(copy.update().has_value());
  ASSERT_TRUE(copy.update().has_value());
  const auto kept = mlflow_.kept();
  EXPECT_EQ(kept.runs, 1);
  EXPECT_EQ(kept.created["run_name"], run.id);
  EXPECT_EQ(kept.created["tags"][0], (json::Value{{"key", "imago.dataset"}, {"value", "pets@1"}}));
  ASSERT_EQ(kept.metrics.size(), 2U);
  EXPECT_EQ(kept.metrics[1]["key"], "loss");
  EXPECT_EQ(kept.metrics[1]["value"], 1.0);
  EXPECT_EQ(kept.metrics[1]["step"], 2);
  EXPECT_GT(kept.metrics[1]["timestamp"].get<std::int64_t>(), 1'600'000'000'000) << "milliseconds since 1970";
  EXPECT_EQ(kept.params.at("optimizer.kind"), "sgd");
  EXPECT_EQ(kept.tags.at("mlflow.source.name"), "imago");
  EXPECT_EQ(copy.page(), mlflow_.address().uri + "/#/experiments/1/runs/r1");
}

TEST_F(Mlflow, FindsARunThatIsThereAndDoesNotMakeASecond) {
  const auto run = new_run();
  ASSERT_TRUE(MlflowCopy(mlflow_.address(), runs_, run.id).update().has_value());
  ASSERT_TRUE(MlflowCopy(mlflow_.address(), runs_, run.id).update().has_value());
  EXPECT_EQ(mlflow_.kept().runs, 1);
}

TEST_F(Mlflow, CompletesWithResultsAndStatus) {
  const auto run = new_run();
  log(run, 1, 2.0);
  log(run, 2, std::nan(""));
  ASSERT_TRUE(runs_.finish(run.id, RunStatus::Finished, {{"x", 1}}).has_value());
  ASSERT_TRUE(write_file(folder_.path() / "weights", std::string(300'000, 'w')).has_value());
  MlflowCopy copy(mlflow_.address(), runs_, run.id);
  const auto done =
      copy.complete({.metrics = {{"test_accuracy", 0.75}},
                     .tags = {{"imago.verdict", "champion"}},
                     .artifacts = {{"a b.txt", {}, "text"}, {"model/w", folder_.path() / "weights", {}}}});
  ASSERT_TRUE(done.has_value()) << done.error().message;
  const auto kept = mlflow_.kept();
  EXPECT_EQ(kept.metrics[1]["value"], "NaN");
  EXPECT_EQ(kept.metrics[2]["key"], "test_accuracy");
  EXPECT_EQ(kept.metrics[2]["step"], 2);
  EXPECT_EQ(kept.tags.at("imago.verdict"), "champion");
  EXPECT_EQ(kept.artifacts.at("1/r1/artifacts/a b.txt"), "text");
  EXPECT_EQ(kept.artifacts.at("1/r1/artifacts/model/w").size(), 300'000U);
  EXPECT_EQ(kept.updated["status"], "FINISHED");
  EXPECT_TRUE(kept.updated.contains("end_time"));
}

TEST_F(Mlflow, SaysHowARunEnded) {
  for (const auto& [status, expected] : {std::pair{RunStatus::Failed, "FAILED"}, {RunStatus::Interrupted, "KILLED"}}) {
    const auto run = new_run();
    ASSERT_TRUE(runs_.finish(run.id, status, nullptr, "disk full").has_value());
    ASSERT_TRUE(MlflowCopy(mlflow_.address(), runs_, run.id).complete({}).has_value());
    EXPECT_EQ(mlflow_.kept().updated["status"], expected);
    EXPECT_EQ(mlflow_.kept().tags.at("imago.error"), "disk full");
  }
}

TEST_F(Mlflow, KeepsToTheLimitsOfABatch) {
  json::Value params = json::Value::object();
  for (int i = 0; i < 250; ++i) params[fmt::format("p{}", i)] = std::string(7000, 'v');
  const auto run = runs_.create("train", params).value();
  for (int step = 1; step <= 1500; ++step) log(run, step, 1.0);
  ASSERT_TRUE(MlflowCopy(mlflow_.address(), runs_, run.id).update().has_value());
  const auto kept = mlflow_.kept();
  EXPECT_EQ(kept.params.size(), 250U);
  EXPECT_EQ(kept.params.at("p0").size(), 6000U);
  EXPECT_EQ(kept.metrics.size(), 1500U);
  for (const auto size : kept.batch_sizes) EXPECT_LE(size, 1000U);
}

TEST_F(Mlflow, BringsKeysToWhatMlflowTakes) {
  EXPECT_EQ(mlflow_key("schedule.peak"), "schedule.peak");
  EXPECT_EQ(mlflow_key("a:b\n"), "a_b_");
  EXPECT_EQ(mlflow_key("../x//y/./z/"), "_../x/y/_/z_");
  EXPECT_EQ(mlflow_key(std::string(300, 'k')).size(), 250U);
  EXPECT_EQ(cut_text("caf\xC3\xA9", 4), "caf") << "never half a character";
}

TEST_F(Mlflow, SendsTheCredentials) {
  auto server = mlflow_.address();
  server.username = "user";
  server.password = "pass word";
  ASSERT_TRUE(MlflowCopy(server, runs_, new_run().id).update().has_value());
  EXPECT_EQ(mlflow_.kept().authorizations.back(), "Basic dXNlcjpwYXNzIHdvcmQ=") << "RFC 7617, by Python's base64";
  server.token = "t0ken";
  ASSERT_TRUE(MlflowCopy(server, runs_, new_run().id).update().has_value());
  EXPECT_EQ(mlflow_.kept().authorizations.back(), "Bearer t0ken");
}

TEST_F(Mlflow, NeverSendsFilesToAServerThatTheRunNamesItself) {
  for (const char* uri : {"s3://bucket/1", "http://elsewhere.example/api/2.0/mlflow-artifacts/artifacts/1"}) {
    FakeMlflow other;
    other.artifact_uri = uri;
    MlflowCopy copy(other.address(), runs_, new_run().id);
    const auto sent = copy.complete({.metrics = {}, .tags = {}, .artifacts = {{"a", {}, "a"}}});
    ASSERT_FALSE(sent.has_value());
    EXPECT_EQ(sent.error().code, ErrorCode::Unsupported);
    EXPECT_TRUE(other.kept().artifacts.empty());
  }
}

TEST_F(Mlflow, RegistersAVersionOnceAndPutsAliasesOnThoseThatAreThere) {
  const RegisteredModel second{.name = "pets",
                               .version = 4,
                               .digest = "d4",
                               .aliases = {{"champion", "d3"}, {"challenger", "d4"}, {"latest", "d4"}, {"base", "d1"}}};
  const RegisteredModel first{.name = "pets", .version = 3, .digest = "d3", .aliases = {{"champion", "d3"}}};
  for (const auto& model : {first, second, second}) {
    MlflowCopy copy(mlflow_.address(), runs_, new_run().id);
    const auto done = copy.complete({.metrics = {}, .tags = {}, .artifacts = {}, .model = model});
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
  const auto kept = mlflow_.kept();
  EXPECT_EQ(kept.models.size(), 1U);
  ASSERT_EQ(kept.versions.size(), 2U) << "the third was there";
  EXPECT_EQ(kept.versions[1]["source"], "mlflow-artifacts:/1/r1/artifacts/model");
  EXPECT_EQ(kept.versions[1]["run_id"], "r1");
  const std::map<std::string, std::string> expected{{"champion", "1"}, {"challenger", "2"}};
  EXPECT_EQ(kept.aliases, expected) << "version 1 was never sent, and latest is MLflow's own";
}

TEST_F(Mlflow, FollowsARunWhileItGoesOn) {
  const auto run = new_run();
  LiveMlflow live(mlflow_.address(), runs_, run.id);
  log(run, 1, 2.0);
  live.changed();
  EXPECT_TRUE(mlflow_.wait_for([](const auto& kept) { return kept.metrics.size() == 1; }));
  log(run, 2, 1.0);
  ASSERT_TRUE(runs_.finish(run.id, RunStatus::Finished, nullptr).has_value());
  const auto page = live.finish({}, milliseconds(5000));
  ASSERT_TRUE(page.has_value()) << page.error().message;
  EXPECT_THAT(*page, HasSubstr("/runs/r1"));
  EXPECT_EQ(mlflow_.kept().metrics.size(), 2U);
  EXPECT_EQ(mlflow_.kept().updated["status"], "FINISHED");
}

TEST_F(Mlflow, SendsAtTheEndWhatAServerThatWasAwayMissed) {
  const auto run = new_run();
  mlflow_.failing_with = 503;
  LiveMlflow live(mlflow_.address(), runs_, run.id);
  EXPECT_TRUE(mlflow_.wait_for([](const auto& kept) { return !kept.calls.empty(); }));
  for (int step = 1; step <= 3; ++step) {
    log(run, step, 1.0);
    live.changed();
  }
  mlflow_.failing_with = 0;
  ASSERT_TRUE(runs_.finish(run.id, RunStatus::Finished, nullptr).has_value());
  ASSERT_TRUE(live.finish({}, milliseconds(5000)).has_value());
  EXPECT_EQ(mlflow_.kept().metrics.size(), 3U);
}

TEST_F(Mlflow, AsksAServerThatRefusesOnlyOnce) {
  const auto run = new_run();
  mlflow_.failing_with = 401;
  LiveMlflow live(mlflow_.address(), runs_, run.id);
  EXPECT_TRUE(mlflow_.wait_for([](const auto& kept) { return kept.calls.size() >= 2; }));  // look, then make
  for (int i = 0; i < 20; ++i) live.changed();
  const auto page = live.finish({}, milliseconds(5000));
  ASSERT_FALSE(page.has_value());
  EXPECT_THAT(page.error().message, HasSubstr("401: out of order"));
  EXPECT_LE(mlflow_.kept().calls.size(), 6U);
}

TEST_F(Mlflow, CostsNextToNothingWhenNobodyListens) {
  const auto run = new_run();
  const auto began = steady_clock::now();
  LiveMlflow live({.uri = "http://127.0.0.1:9", .call_timeout = milliseconds(500)}, runs_, run.id);
  for (int i = 0; i < 100; ++i) live.changed();
  const auto page = live.finish({}, milliseconds(60'000));
  ASSERT_FALSE(page.has_value());
  EXPECT_EQ(page.error().code, ErrorCode::Unavailable);
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(5));
}

TEST(MlflowAddress, MustBeAServers) {
  EXPECT_EQ(checked({.uri = "http://localhost:5000//"})->uri, "http://localhost:5000");
  for (const char* uri : {"", "mlruns", "file:///tmp/mlruns", "sqlite:///mlflow.db", "databricks"}) {
    EXPECT_EQ(checked({.uri = uri}).error().code, ErrorCode::InvalidArgument) << uri;
  }
}

}  // namespace
}  // namespace imago::tracking
