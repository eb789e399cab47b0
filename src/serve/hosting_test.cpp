// SPDX-License-Identifier: Apache-2.0
// Models that come, go and change while a server answers.
#include "serve/hosting.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <cmath>
#include <future>
#include <map>

#include "serve/test_registry.hpp"

namespace imago::serve {
namespace {

using testing::HasSubstr;

class HostingTest : public RegistryService {
 protected:
  void SetUp() override {
    RegistryService::SetUp();
    add_version("pets", "one", {"champion"});
    add_version("pets", "two");
    add_version("cars", "three", {"champion"});
  }
};

TEST_F(HostingTest, HoldsSeveralModelsOfWhichTheFirstAnswersPredict) {
  ASSERT_TRUE(host("pets").has_value());
  ASSERT_TRUE(host("cars").has_value());
  EXPECT_EQ(predicted_by(), "pets:1");
  EXPECT_EQ(predicted_by("/v1/models/pets/predict"), "pets:1");
  EXPECT_EQ(predicted_by("/v1/models/cars/predict"), "cars:1");
  EXPECT_EQ(predicted_by("/v1/models/cars/versions/1/predict"), "cars:1");
  EXPECT_THAT(predict("/v1/models/cars/versions/7/predict", 404)["error"].get<std::string>(), HasSubstr("loaded: 1"));
  EXPECT_THAT(predict("/v1/models/boats/predict", 404)["error"].get<std::string>(), HasSubstr("cars, pets"));
  EXPECT_EQ(predict("/v1/models/cars/versions/x/predict", 400)["code"], "invalid_argument");
}

TEST_F(HostingTest, FollowsWhenAVersionIsToAbstain) {
  ASSERT_TRUE(host("pets").has_value());
  EXPECT_FALSE(predict("/predict?details=energy").contains("abstained"));
  const auto version = models_.resolve("pets:1").value();
  const auto energy = predict("/predict?details=energy")["energy"].get<double>();
  const auto answers_under = [&](const model::AbstentionPolicy& policy) {
    EXPECT_TRUE(models_.set_abstention(version, policy).has_value());
    service_->hosting().follow();
    return predict();
  };
  EXPECT_EQ(answers_under({.least_confidence = {1.0}, .most_energy = {}})["abstained_because"], "confidence");
  EXPECT_EQ(ask("GET", "/status")["model"]["abstention"]["least_confidence"], 1.0);
  EXPECT_EQ(ask("GET", "/v1/models/pets")["versions"][1]["abstention"]["least_confidence"], 1.0);
  EXPECT_EQ(answers_under({.least_confidence = {}, .most_energy = energy - 0.01})["abstained_because"], "energy");
  EXPECT_EQ(answers_under({.least_confidence = {}, .most_energy = energy + 0.01})["abstained"], false);
  EXPECT_FALSE(answers_under({}).contains("abstained"));
}

TEST_F(HostingTest, AnswersByNameAsPredictDoes) {
  ASSERT_TRUE(host("pets").has_value());
  auto plain = predict(), named = predict("/v1/models/pets/predict");
  for (const char* changing : {"latency_seconds", "prediction_time", "timestamp", "request_id"}) {
    plain.erase(changing);
    named.erase(changing);
  }
  EXPECT_EQ(plain, named);
}

TEST_F(HostingTest, KeepsTheVersionsThatItsPolicySelects) {
  for (const auto& [policy, expected] :
       std::vector<std::pair<std::string, std::string>>{{"pets", "pets:1 ready"},
                                                        {"pets@2", "pets:2 ready"},
                                                        {"pets:latest", "pets:2 ready"},
                                                        {"pets@all", "pets:1 ready, pets:2 ready"},
                                                        {"pets@latest=1", "pets:2 ready"},
                                                        {"pets@latest=9", "pets:1 ready, pets:2 ready"},
                                                        {"pets@1,2", "pets:1 ready, pets:2 ready"}}) {
    ASSERT_TRUE(host(policy).has_value()) << policy;
    EXPECT_EQ(states(), expected) << policy;
  }
  EXPECT_EQ(predicted_by(), "pets:1") << "of several versions the champion answers";
  add_version("pets", "four");
  ASSERT_TRUE(host("pets@latest=2").has_value());
  EXPECT_EQ(predicted_by(), "pets:3") << "or the newest, where the champion is not among them";
  EXPECT_EQ(host("pets@1,9").error().code, ErrorCode::NotFound);
  EXPECT_EQ(host("boats").error().code, ErrorCode::NotFound);
  EXPECT_EQ(states(), "pets:2 ready, pets:3 ready");
}

TEST_F(HostingTest, FollowsTheRegistry) {
  ASSERT_TRUE(host("pets").has_value());
  ASSERT_TRUE(host("cars@all").has_value());
  service_->hosting().follow();
  EXPECT_EQ(states(), "cars:1 ready, pets:1 ready");
  ASSERT_TRUE(models_.set_alias("pets", "champion", 2).has_value());
  add_version("cars", "five");
  service_->hosting().follow();
  EXPECT_EQ(states(), "cars:1 ready, cars:2 ready, pets:2 ready");
  EXPECT_EQ(predicted_by(), "pets:2");
  EXPECT_EQ(service_->hosting().serving()->version, 2);
}

TEST_F(HostingTest, KeepsWhatItHasWhenTheNewOneDoesNotLoad) {
  ASSERT_TRUE(host("pets").has_value());
  break_version("pets", 2);
  ASSERT_TRUE(models_.set_alias("pets", "champion", 2).has_value());
  service_->hosting().follow();
  EXPECT_EQ(states(), "pets:1 ready, pets:2 failed");
  EXPECT_EQ(predicted_by(), "pets:1");
  const auto loaded = ask("GET", "/v1/models")["loaded"];
  ASSERT_EQ(loaded.size(), 2U);
  EXPECT_EQ(loaded[0]["serving"], true);
  EXPECT_THAT(loaded[1]["reason"].get<std::string>(), HasSubstr("weights.safetensors"));
  ASSERT_TRUE(models_.set_alias("pets", "champion", 1).has_value());
  service_->hosting().follow();
  EXPECT_EQ(states(), "pets:1 ready");
}

TEST_F(HostingTest, ShowsModelsThatAreHostedTogetherAllAtOnceOrNotAtAll) {
  const auto both = [&](const char* first, const char* second) {
    return service_->hosting().host({{parse_version_policy(first).value()}, {parse_version_policy(second).value()}},
                                    Hosting::Origin::Told);
  };
  EXPECT_EQ(both("pets", "boats").error().code, ErrorCode::NotFound);
  EXPECT_EQ(both("pets", "pets@2").error().code, ErrorCode::InvalidArgument);
  break_version("cars", 1);
  EXPECT_FALSE(both("pets", "cars").has_value());
  EXPECT_EQ(states(), "cars:1 failed");
  EXPECT_EQ(predict("/predict", 503)["code"], "unavailable");
  ASSERT_TRUE(host("pets@2").has_value());
  EXPECT_EQ(predicted_by(), "pets:2");
}

TEST_F(HostingTest, LeavesOutOneOfSeveralVersionsThatDoesNotLoad) {
  break_version("pets", 2);
  ASSERT_TRUE(host("pets@all").has_value());
  EXPECT_EQ(states(), "pets:1 ready, pets:2 failed");
}

TEST_F(HostingTest, LoadsAndUnloadsAtRunTime) {
  EXPECT_EQ(ask("POST", "/v1/models/pets/load")["loaded"][0]["state"], "ready");
  EXPECT_EQ(predicted_by(), "pets:1") << "the first that is loaded answers /predict";
  ask("POST", "/v1/models/pets/load", 200, R"({"version": 2})");
  ask("POST", "/v1/models/cars/load?version=1");
  EXPECT_EQ(states(), "cars:1 ready, pets:1 ready, pets:2 ready");
  EXPECT_EQ(predicted_by("/v1/models/pets/predict"), "pets:1");
  EXPECT_EQ(predicted_by("/v1/models/pets/versions/2/predict"), "pets:2");
  service_->hosting().follow();
  ask("POST", "/v1/models/pets/unload", 200, R"({"version": 2})");
  ask("POST", "/v1/models/cars/unload");
  service_->hosting().follow();
  EXPECT_EQ(states(), "pets:1 ready");
  ask("POST", "/v1/models/cars/unload", 404);
  ask("POST", "/v1/models/boats/load", 404);
  ask("POST", "/v1/models/pets/load", 404, R"({"version": 7})");
  for (const char* body : {"[]", "{", R"({"version": "x"})", R"({"version": 0})", R"({"version": -1})"})
    ask("POST", "/v1/models/pets/load", 400, body);
  ask("POST", "/v1/models/pets/load?version=x", 400);
}

TEST_F(HostingTest, SaysWhyAVersionDoesNotLoadAndKeepsTheOthers) {
  ASSERT_TRUE(host("pets").has_value());
  break_version("pets", 2);
  const auto refused = ask("POST", "/v1/models/pets/load", 400, R"({"version": 2})");
  EXPECT_THAT(refused["error"].get<std::string>(), HasSubstr("weights.safetensors"));
  EXPECT_EQ(predicted_by(), "pets:1");
}

TEST_F(HostingTest, DoesNotTakeAwayWhatAnswersPredict) {
  ASSERT_TRUE(host("pets@all").has_value());
  ASSERT_TRUE(host("cars").has_value());
  ask("POST", "/v1/models/pets/unload", 409);
  ask("POST", "/v1/models/pets/unload", 409, R"({"version": 1})");
  ask("POST", "/v1/models/pets/default", 200, R"({"version": 2})");
  EXPECT_EQ(predicted_by(), "pets:2");
  service_->hosting().follow();
  EXPECT_EQ(predicted_by(), "pets:2") << "whatever the aliases say";
  ask("POST", "/v1/models/pets/unload", 200, R"({"version": 1})");
  ask("POST", "/v1/models/cars/default");
  EXPECT_EQ(predicted_by(), "cars:1");
  ask("POST", "/v1/models/pets/unload");
  EXPECT_EQ(states(), "cars:1 ready");
  ask("POST", "/v1/models/pets/default", 404);
}

TEST_F(HostingTest, SwapsUnderLoadWithoutAFailedRequestOrAMixedAnswer) {
  add_version("pets", "other", {}, 1.5F);
  ASSERT_TRUE(host("pets@all").has_value());
  std::map<int, json::Value> expected;  // by version
  for (const int version : {1, 3})
    expected[version] = predict(fmt::format("/v1/models/pets/versions/{}/predict", version))["probabilities"];
  ASSERT_GT(std::abs(expected[1][0].get<double>() - expected[3][0].get<double>()), 0.05);
  ASSERT_TRUE(host("pets").has_value());
  std::atomic<bool> stop{false};
  const auto client = [&](const std::string& path) {
    std::map<int, int> answers;  // by version
    while (!stop) {
      const auto answer = predict(path);
      const int version = answer.value("model_version", 0);
      ++answers[version];
      const auto& probabilities = expected.at(version);
      for (std::size_t i = 0; i < 3; ++i)
        EXPECT_NEAR(answer["probabilities"][i].get<double>(), probabilities[i].get<double>(), 1e-5) << version;
    }
    return answers;
  };
  auto plain = std::async(std::launch::async, client, "/predict");
  auto named = std::async(std::launch::async, client, "/v1/models/pets/predict");
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(models_.set_alias("pets", "champion", i % 2 == 0 ? 3 : 1).has_value());
    service_->hosting().follow();
  }
  stop = true;
  for (auto* answers : {&plain, &named}) {
    const auto seen = answers->get();
    EXPECT_TRUE(seen.contains(1) && seen.contains(3)) << "both versions answered meanwhile";
  }
}

TEST_F(HostingTest, BatchesTheRequestsForAModelByItsOwnSettings) {
  ASSERT_TRUE(host("pets").has_value());
  ASSERT_TRUE(host("cars").has_value());
  const auto before = service_->hosting().server_batching();
  const auto body = R"({"max_batch": 3, "max_queue": 5})";
  const auto set = ask("PUT", "/v1/models/pets/batch", 200, body);
  EXPECT_EQ(set["settings"],
            json::parse(R"({"max_batch":3,"batch_delay_us":null,"max_queue":5,"workers":null})").value());
  EXPECT_EQ(set["effective"]["max_batch"], 3);
  EXPECT_EQ(set["effective"]["batch_delay_us"], before.max_delay.count());
  EXPECT_EQ(ask("GET", "/v1/models/pets/batch"), set);
  const auto batching = [&](const char* name) { return service_->hosting().find(name).value()->face()->batching; };
  EXPECT_EQ(batching("pets").max_batch, 3) << "what is loaded has it at once";
  EXPECT_EQ(batching("pets").max_queue, 5U);
  EXPECT_EQ(batching("cars"), before);
  EXPECT_EQ(predicted_by(), "pets:1");

  ask("PUT", "/v1/models/pets/batch", 200, "{}");
  EXPECT_EQ(batching("pets"), before) << "what is not said is the server's";
  for (const char* bad :
       {R"({"max_batch": 0})", R"({"max_batch": "3"})", R"({"workers": 1000})", R"({"batch": 3})", "[]"})
    ask("PUT", "/v1/models/pets/batch", 400, bad);
  ask("PUT", "/v1/models/boats/batch", 404, body);
  ask("GET", "/v1/models/boats/batch", 404);
  ask("GET", "/v1/models/pets:1/batch", 400);
}

TEST_F(HostingTest, TakesTheSettingsThatAModelHasWhenItIsLoaded) {
  ASSERT_TRUE(write_batch_settings(*database_, "cars", {.max_queue = 7}).has_value());
  ASSERT_TRUE(host("pets").has_value());
  ASSERT_TRUE(host("cars").has_value());
  EXPECT_EQ(service_->hosting().find("cars").value()->face()->batching.max_queue, 7U);
  EXPECT_EQ(service_->hosting().find("pets").value()->face()->batching.max_queue,
            service_->hosting().server_batching().max_queue);
}

TEST_F(HostingTest, RemembersWhatItWasToldAtRunTime) {
  ASSERT_TRUE(host("cars").has_value());
  ask("POST", "/v1/models/pets/load");
  ask("POST", "/v1/models/pets/load", 200, R"({"version": 2})");
  ask("POST", "/v1/models/pets/default", 200, R"({"version": 2})");
  auto kept = service_->hosting().remembered().value();
  ASSERT_EQ(kept.size(), 1U) << "cars was told when the server was started: it will be again, or not";
  EXPECT_EQ(kept[0].policy.reference, "pets");
  EXPECT_EQ(kept[0].changes.added, std::set<int>{2});
  EXPECT_EQ(kept[0].changes.default_version, 2);
  EXPECT_TRUE(kept[0].is_main);

  ask("POST", "/v1/models/pets/unload", 200, R"({"version": 1})");
  EXPECT_EQ(service_->hosting().remembered().value()[0].changes.removed, std::set<int>{1});
  ask("POST", "/v1/models/cars/default");
  EXPECT_FALSE(service_->hosting().remembered().value()[0].is_main);
  ask("POST", "/v1/models/pets/unload");
  EXPECT_TRUE(service_->hosting().remembered().value().empty());
}

TEST_F(HostingTest, HostsAgainWhatWasRemembered) {
  ask("POST", "/v1/models/cars/load");
  ask("POST", "/v1/models/pets/load");
  ask("POST", "/v1/models/pets/default", 200, R"({"version": 1})");
  ask("POST", "/v1/models/pets/load", 200, R"({"version": 2})");
  const auto kept = service_->hosting().remembered().value();
  const auto was = states();
  RegistryService::SetUp();  // another server on the same database
  ASSERT_TRUE(service_->hosting().host(kept, Hosting::Origin::Found).has_value());
  EXPECT_EQ(states(), was);
  EXPECT_EQ(predicted_by(), "pets:1");
  EXPECT_EQ(predicted_by("/v1/models/pets/versions/2/predict"), "pets:2");
  ask("POST", "/v1/models/cars/unload");
  EXPECT_EQ(service_->hosting().remembered().value().size(), 1U);
}

TEST_F(HostingTest, LeavesOutWhatWasRememberedAndDoesNotLoad) {
  ask("POST", "/v1/models/cars/load");
  ask("POST", "/v1/models/pets/load");
  const auto kept = service_->hosting().remembered().value();
  RegistryService::SetUp();
  break_version("cars", 1);
  const HostedModel asked{.policy = parse_version_policy("pets@2").value()};
  ASSERT_TRUE(service_->hosting().host({asked}, Hosting::Origin::Told, kept).has_value());
  EXPECT_EQ(states(), "cars:1 failed, pets:2 ready") << "what is asked for wins over what was";
}

TEST_F(HostingTest, CountsByModelAndVersion) {
  ASSERT_TRUE(host("pets@all").has_value());
  predict();
  predict("/v1/models/pets/versions/2/predict");
  predict("/v1/models/pets/versions/2/predict");
  ask("POST", "/predict", 400, "no image", {{"Content-Type", "image/bmp"}});
  const auto models = ask("GET", "/v1/stats")["models"];
  ASSERT_EQ(models.size(), 2U);
  EXPECT_EQ(models[0]["name"], "pets");
  EXPECT_EQ(models[0]["version"], 1);
  EXPECT_EQ(models[0]["requests"]["ok"], 1);
  EXPECT_EQ(models[0]["requests"]["invalid"], 1);
  EXPECT_EQ(models[0]["requests"]["rejected"]["queue_full"], 0);
  EXPECT_EQ(models[1]["predictions"], 2);
  EXPECT_EQ(models[1]["mean_batch"], 1.0);
  EXPECT_EQ(models[1]["in_flight"], 0);
  EXPECT_GT(models[1]["latency_ms"]["p99"].get<double>(), 0.0);
  EXPECT_GE(models[1]["mean_ms"]["infer"].get<double>(), 0.0);
  const auto text = send("GET", "/metrics/prometheus").body;
  EXPECT_THAT(text, HasSubstr("imago_model_requests_total{model=\"pets\",outcome=\"ok\",version=\"2\"} 2\n"));
}

}  // namespace
}  // namespace imago::serve
