// SPDX-License-Identifier: Apache-2.0
// The job routes on a real queue whose jobs nobody does.
#include <gmock/gmock.h>

#include "base/files.hpp"
#include "serve/service.hpp"
#include "serve/test_client.hpp"

namespace imago::serve {
namespace {

using testing::HasSubstr;

class JobRoutes : public testing::Test {
 protected:
  void SetUp() override {
    ServeOptions options;
    options.http.port = 0;
    options.backend = Backend{.database = database_.get(),
                              .datasets = &datasets_,
                              .models = &models_,
                              .runs = &runs_,
                              .workspace = folder_.path(),
                              .jobs = &queue_,
                              .wake_worker = [this] { ++woken_; },
                              .recipes = recipes_};
    service_ = Service::start(options).value();
  }
  void import_pets() {
    data::Manifest manifest{.name = "pets", .labels = {"cat", "dog"}};
    manifest.entries.push_back({.path = "a.png", .sha256 = datasets_.put_object("a").value(), .width = 1, .height = 1});
    pets_ = "pets@" + datasets_.publish(manifest, {}).value();
  }
  json::Value ask(const std::string& method, const std::string& path, int status = 200, const std::string& body = "") {
    SCOPED_TRACE(method + " " + path);
    return json_in(exchange(service_->port(), method, path, {{"Content-Type", "application/json"}}, body), status);
  }
  std::string refusal(const std::string& path, int status, const std::string& body) {
    return ask("POST", path, status, body)["error"].get<std::string>();
  }

  TemporaryDirectory folder_ = TemporaryDirectory::create(fs::temp_directory_path(), "job-routes-test").value();
  std::unique_ptr<store::Database> database_ =
      store::Database::open(fmt::format("sqlite:{}", (folder_.path() / "imago.db").string())).value();
  data::Repository datasets_{folder_.path() / "datasets"};
  registry::Registry models_{*database_, folder_.path() / "models"};
  tracking::RunStore runs_{*database_};
  jobs::JobQueue queue_{*database_};
  const std::vector<Recipe> recipes_{
      {"quick", json::parse(R"({"description":"soon","architecture":{"name":"narrow"},"epochs":8})").value()},
      {"improved-cnn"}};
  std::atomic<int> woken_{0};
  std::string pets_;
  std::unique_ptr<Service> service_;
};

TEST_F(JobRoutes, AreIdleAtFirst) {
  EXPECT_EQ(ask("GET", "/training-status")["status"], "idle");
  EXPECT_EQ(json::dump(ask("GET", "/v1/jobs")), R"({"jobs":[],"next_offset":null})");
  EXPECT_THAT(refusal("/train/stop", 409, ""), HasSubstr("nothing to stop"));
}

TEST_F(JobRoutes, QueueATrainingWithEverythingSpelledOut) {
  import_pets();
  const auto answer = ask("POST", "/train", 200, R"({"dataset":"pets","recipe":"improved-cnn","epochs":2,"seed":7})");
  EXPECT_EQ(answer["status"], "started");
  EXPECT_EQ(woken_, 1);
  const auto job = queue_.find(answer["job_id"]).value();
  EXPECT_EQ(job.kind, "train");
  EXPECT_EQ(job.payload["dataset"], pets_) << "the version is fixed when it is asked for";
  EXPECT_EQ(job.payload["model"], "pets");
  EXPECT_EQ(job.payload["epochs"], 2);
  EXPECT_EQ(ask("GET", "/training-status")["status"], "queued");
  EXPECT_EQ(ask("GET", "/v1/jobs/" + job.id), answer["job"]);
}

TEST_F(JobRoutes, TellWhichRecipesThereAre) {
  const auto listed = ask("GET", "/v1/recipes")["recipes"];
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(json::dump(listed[0]), R"({"name":"quick","description":"soon","architecture":"narrow","epochs":8,)"
                                   R"("max_minutes":null,"batch_size":null})");
  EXPECT_EQ(listed[1]["architecture"], "improved-cnn");
  const auto whole = ask("GET", "/v1/recipes/quick");
  EXPECT_EQ(whole["name"], "quick");
  EXPECT_EQ(whole["architecture"]["name"], "narrow");
  EXPECT_THAT(ask("GET", "/v1/recipes/best", 404)["error"].get<std::string>(), HasSubstr("quick, improved-cnn"));
}

TEST_F(JobRoutes, SayThatASecondTrainingWaits) {
  import_pets();
  const auto first = ask("POST", "/v1/jobs", 202, R"({"kind":"train","dataset":"pets"})");
  EXPECT_EQ(first["payload"]["recipe"], "quick");
  const auto second = ask("POST", "/train", 200, R"({"dataset":"pets"})");
  EXPECT_EQ(second["status"], "queued");
  EXPECT_EQ(ask("GET", "/v1/jobs?limit=1")["jobs"].size(), 1U);
}

TEST_F(JobRoutes, ListJobsInShortAndByState) {
  const json::Value payload{{"model", "pets"}, {"files", {"u1", "u2", "u3"}}, {"epochs", 3}, {"replay", 7}};
  const auto job = queue_.submit("retrain", payload).value();
  ASSERT_TRUE(queue_.claim("me", std::chrono::seconds(60), job.id).value().has_value());
  ASSERT_TRUE(queue_.heartbeat(job.id, "me", std::chrono::seconds(60), {{"progress", 0.5}, {"history", {1, 2, 3}}}));
  const auto listed = ask("GET", "/v1/jobs?state=running")["jobs"];
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0]["model"], "pets");
  EXPECT_EQ(listed[0]["images"], 3);
  EXPECT_EQ(listed[0]["epochs"], 3);
  EXPECT_EQ(listed[0]["recipe"], json::Value());
  EXPECT_EQ(listed[0]["progress"], 0.5);
  for (const auto* key : {"payload", "status", "history"}) EXPECT_FALSE(listed[0].contains(key)) << key;
  const auto whole = ask("GET", "/v1/jobs/" + job.id);
  EXPECT_EQ(whole["payload"], payload);
  EXPECT_EQ(whole["progress"]["history"].size(), 3U);
  EXPECT_EQ(whole["images"], 3);
  EXPECT_TRUE(ask("GET", "/v1/jobs?state=done")["jobs"].empty());
  EXPECT_THAT(ask("GET", "/v1/jobs?state=lost", 400)["error"].get<std::string>(), HasSubstr("queued, running"));
}

TEST_F(JobRoutes, RefuseWhatCannotBeTrained) {
  EXPECT_THAT(refusal("/train", 400, ""), HasSubstr("imago data import"));
  import_pets();
  EXPECT_THAT(refusal("/train", 404, R"({"dataset":"cars"})"), HasSubstr("pets"));
  EXPECT_THAT(refusal("/train", 400, R"({"dataset":"pets","recipe":"best"})"), HasSubstr("quick, improved-cnn"));
  EXPECT_THAT(refusal("/train", 400, R"({"dataset":"pets","model":"../pets"})"), HasSubstr("../pets"));
  EXPECT_THAT(refusal("/train", 400, R"({"dataset":"pets","epochs":0})"), HasSubstr("'epochs' is 0"));
  EXPECT_THAT(refusal("/train", 400, R"({"dataset":"pets","epochs":1.5})"), HasSubstr("epochs"));
  EXPECT_THAT(refusal("/train", 400, R"({"dataset":"pets","max_minutes":-1})"), HasSubstr("max_minutes"));
  EXPECT_THAT(refusal("/train", 400, "[]"), HasSubstr("JSON object"));
  EXPECT_THAT(refusal("/train", 400, "{"), HasSubstr("the body"));
  EXPECT_THAT(refusal("/retrain", 400, ""), HasSubstr("no model to go on from"));
  EXPECT_THAT(refusal("/v1/jobs", 400, "{}"), HasSubstr("kind"));
  EXPECT_THAT(refusal("/v1/jobs", 404, R"({"kind":"retrain","model":"cars"})"), HasSubstr("cars"));
  EXPECT_TRUE(queue_.list().value().empty());
  EXPECT_EQ(woken_, 0);
}

TEST_F(JobRoutes, StopWhatRunsAndCancelWhatWaits) {
  import_pets();
  const std::string first = ask("POST", "/train", 200, R"({"dataset":"pets"})")["job_id"];
  const std::string second = ask("POST", "/train", 200, R"({"dataset":"pets"})")["job_id"];
  ASSERT_TRUE(queue_.claim("me", std::chrono::seconds(60), first).value().has_value());
  EXPECT_EQ(ask("DELETE", "/v1/jobs/" + second)["state"], "cancelled");
  ask("DELETE", "/v1/jobs/" + second, 409);
  EXPECT_EQ(json::dump(ask("POST", "/train/stop")), fmt::format(R"({{"status":"stopping","job_id":"{}"}})", first));
  EXPECT_EQ(ask("GET", "/training-status")["message"], "stopping");
  ASSERT_TRUE(queue_.finish(first, "me", jobs::JobState::Cancelled, nullptr).has_value());
  EXPECT_THAT(refusal("/train/stop", 409, ""), HasSubstr("is cancelled"));
  EXPECT_EQ(ask("GET", "/training-status?job_id=" + second)["status"], "cancelled");
  ask("GET", "/training-status?job_id=nosuch", 404);
  ask("POST", "/train/stop", 404, R"({"job_id":"nosuch"})");
  ask("DELETE", "/v1/jobs/nosuch", 404);
  ask("GET", "/v1/jobs?limit=0", 400);
}

}  // namespace
}  // namespace imago::serve
