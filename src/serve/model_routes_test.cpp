// SPDX-License-Identifier: Apache-2.0
// /v1/models and /v1/runs on a real registry, through a real server.
#include <gmock/gmock.h>

#include "base/files.hpp"
#include "package/test_package.hpp"
#include "serve/service.hpp"
#include "serve/test_client.hpp"
#include "serve/test_model.hpp"

namespace imago::serve {
namespace {

using testing::HasSubstr;

class ModelRoutes : public testing::Test {
 protected:
  void SetUp() override {
    ServeOptions options;
    options.http.port = 0;
    options.backend = Backend{.database = database_.get(),
                              .datasets = &datasets_,
                              .models = &models_,
                              .runs = &runs_,
                              .workspace = folder_.path(),
                              .program = {},
                              .trainer = {}};
    service_ = Service::start(options).value();
  }

  void register_version(const std::string& weights, double accuracy) {
    const fs::path staged = folder_.path() / ("staged-" + weights);
    package::seal_test_package(staged, model_.package().spec, weights, {{"test", {{"accuracy", accuracy}}}},
                               {{"dataset", "pets@1"}});
    const auto made = models_.register_package("pets", staged, "run-" + weights, {"champion"});
    ASSERT_TRUE(made.has_value()) << made.error().message;
  }

  json::Value ask(const std::string& method, const std::string& path, int status = 200, const std::string& body = "") {
    SCOPED_TRACE(method + " " + path);
    return json_in(exchange(service_->port(), method, path, {{"Content-Type", "application/json"}}, body), status);
  }

  TestModel model_;
  TemporaryDirectory folder_ = TemporaryDirectory::create(fs::temp_directory_path(), "model-routes-test").value();
  std::unique_ptr<store::Database> database_ =
      store::Database::open(fmt::format("sqlite:{}", (folder_.path() / "imago.db").string())).value();
  data::Repository datasets_{folder_.path() / "datasets"};
  registry::Registry models_{*database_, folder_.path() / "models"};
  tracking::RunStore runs_{*database_};
  std::unique_ptr<Service> service_;
};

TEST_F(ModelRoutes, AreEmptyAtFirst) {
  EXPECT_EQ(json::dump(ask("GET", "/v1/models")), R"({"models":[],"next_offset":null,"serving":null,"loaded":[]})");
  EXPECT_EQ(json::dump(ask("GET", "/v1/runs")), R"({"runs":[],"next_offset":null})");
}

TEST_F(ModelRoutes, ListModelsWithTheirVersionsNewestFirst) {
  register_version("one", 0.5);
  register_version("two", 0.75);
  const auto models = ask("GET", "/v1/models")["models"];
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0]["name"], "pets");
  EXPECT_EQ(models[0]["champion"], 2);
  EXPECT_EQ(models[0]["latest"], 2);
  EXPECT_EQ(models[0]["versions"][0]["version"], 2);
  EXPECT_EQ(models[0]["versions"][0]["test_accuracy"], 0.75);
  EXPECT_EQ(models[0]["versions"][0]["aliases"], (json::Value{"champion", "latest"}));
  EXPECT_EQ(models[0]["versions"][1]["run"], "run-one");
  EXPECT_EQ(ask("GET", "/v1/models/pets"), models[0]);
}

TEST_F(ModelRoutes, DescribeAVersionByNumberOrAlias) {
  register_version("one", 0.5);
  const auto version = ask("GET", "/v1/models/pets/versions/1");
  EXPECT_EQ(version, ask("GET", "/v1/models/pets/versions/champion"));
  EXPECT_EQ(version["name"], "pets");
  EXPECT_EQ(version["version"], 1);
  EXPECT_EQ(version["architecture"], "tiny-cnn");
  EXPECT_EQ(version["labels"], (json::Value{"cat", "dog", "frog"}));
  EXPECT_EQ(version["input"], (json::Value{{"width", 8}, {"height", 8}, {"channels", 3}}));
  EXPECT_EQ(version["parameters"], 3 * 4 * 9 + 4 + 4 * 3 + 3) << "conv and linear, by hand";
  EXPECT_EQ(version["macs"], 3 * 4 * 9 * 64 + 4 * 3);
  EXPECT_EQ(version["layers"][0]["kind"], "conv2d");
  EXPECT_EQ(version["layers"][0]["output"], (json::Value{4, 8, 8}));
  EXPECT_EQ(version["report"]["test"]["accuracy"], 0.5);
  EXPECT_EQ(version["lineage"]["dataset"], "pets@1");
  EXPECT_THAT(ask("GET", "/v1/models/pets/versions/7", 404)["error"].get<std::string>(), HasSubstr("pets:1"));
  ask("GET", "/v1/models/cars/versions/1", 404);
  ask("GET", "/v1/models/P%20ts/versions/1", 400);
}

TEST_F(ModelRoutes, PromoteAndRollBackAndRemember) {
  for (const char* weights : {"one", "two", "three"}) register_version(weights, 0.5);
  auto change = ask("POST", "/v1/models/pets/promote", 200, R"({"version":1,"reason":"a test"})");
  EXPECT_EQ(json::dump(change), R"({"name":"pets","alias":"champion","version":1,"previous":3})");
  change = ask("POST", "/v1/models/pets/rollback");
  EXPECT_EQ(json::dump(change), R"({"name":"pets","alias":"champion","version":3,"previous":1})");
  EXPECT_EQ(ask("POST", "/v1/models/pets/rollback", 200, "{}")["version"], 2);
  EXPECT_EQ(ask("POST", "/v1/models/pets/rollback", 200, R"({"reason":"still bad"})")["version"], 1);
  EXPECT_THAT(ask("POST", "/v1/models/pets/rollback", 409)["error"].get<std::string>(),
              HasSubstr("nothing to go back"));
  const auto moves = ask("GET", "/v1/models/pets/history")["moves"];
  EXPECT_EQ(moves.size(), 7U);
  EXPECT_EQ(moves[0]["version"], 1);
  EXPECT_EQ(moves[0]["reason"], "rolled back from 2: still bad");
  EXPECT_EQ(moves[3]["reason"], "a test");
  EXPECT_TRUE(ask("POST", "/v1/models/pets/promote", 200, R"({"version":2,"alias":"base"})")["previous"].is_null());
  EXPECT_EQ(ask("GET", "/v1/models/pets/history?alias=base")["moves"].size(), 1U);
}

TEST_F(ModelRoutes, RefuseWhatMakesNoSenseAndChangeNothing) {
  register_version("one", 0.5);
  for (const char* body : {"", "[]", "{", R"({"version":"1"})", R"({"version":1.5})", R"({"version":1,"alias":"7"})",
                           R"({"version":1,"alias":"../x"})", R"({"version":1,"reason":5})"}) {
    ask("POST", "/v1/models/pets/promote", 400, body);
  }
  ask("POST", "/v1/models/pets/promote", 404, R"({"version":2})");
  ask("POST", "/v1/models/cars/promote", 404, R"({"version":1})");
  ask("POST", "/v1/models/Cars/rollback", 400);
  ask("POST", "/v1/models/cars/rollback", 404);
  ask("POST", "/v1/models/pets/rollback", 404, R"({"alias":"base"})");
  ask("POST", "/v1/models/pets/rollback", 400, "[1]");
  ask("GET", "/v1/models/pets/history?alias=7", 400);
  EXPECT_EQ(ask("GET", "/v1/models/pets/history")["moves"].size(), 1U);
}

TEST_F(ModelRoutes, AnAlteredPackageIsTheServersFault) {
  register_version("one", 0.5);
  ASSERT_TRUE(write_file(folder_.path() / "models/pets/1/weights.safetensors", "eno").has_value());
  ask("GET", "/v1/models/pets/versions/1", 500);
}

TEST_F(ModelRoutes, ShowRunsWithTheirCurves) {
  const auto run = runs_.create("train", {{"dataset", "pets@1"}, {"recipe", {{"epochs", 2}}}}).value();
  ASSERT_TRUE(runs_.log_metrics(run.id, 1, {{"loss", 2.0}, {"val_loss", std::nan("")}}).has_value());
  ASSERT_TRUE(runs_.log_metrics(run.id, 2, {{"loss", 1.0}, {"val_loss", 1.5}}).has_value());
  ASSERT_TRUE(runs_.finish(run.id, tracking::RunStatus::Finished, {{"test_accuracy", 0.5}}).has_value());
  const auto later = runs_.create("train", json::Value::object()).value();

  const auto runs = ask("GET", "/v1/runs")["runs"];
  EXPECT_EQ(runs.size(), 2U);
  EXPECT_EQ(ask("GET", "/v1/runs?limit=1")["runs"].size(), 1U);
  const auto shown = ask("GET", "/v1/runs/" + run.id);
  EXPECT_EQ(shown["status"], "finished");
  EXPECT_EQ(shown["params"]["recipe"]["epochs"], 2);
  EXPECT_EQ(shown["summary"]["test_accuracy"], 0.5);
  EXPECT_TRUE(shown["error"].is_null());
  EXPECT_EQ(shown["metrics"]["loss"][1]["value"], 1.0);
  EXPECT_EQ(shown["metrics"]["loss"][1]["step"], 2);
  EXPECT_TRUE(shown["metrics"]["val_loss"][0]["value"].is_null());
  for (const char* limit : {"0", "-1", "x", "1001", "1x"}) ask("GET", fmt::format("/v1/runs?limit={}", limit), 400);
  ask("GET", "/v1/runs/nosuch", 404);
}

}  // namespace
}  // namespace imago::serve
