// SPDX-License-Identifier: Apache-2.0
// Models that come, go and change while a server answers.
#include "serve/hosting.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <future>

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

TEST_F(HostingTest, SwapsUnderLoadWithoutAFailedRequest) {
  ASSERT_TRUE(host("pets").has_value());
  ASSERT_TRUE(host("cars").has_value());
  std::atomic<bool> stop{false};
  const auto client = [&](const std::string& path) {
    int answers = 0;
    for (; !stop; ++answers) {
      const auto response = send("POST", path, encode_bmp(sample_image(8, 1)), {{"Content-Type", "image/bmp"}});
      EXPECT_EQ(response.status, 200) << response.body;
    }
    return answers;
  };
  auto plain = std::async(std::launch::async, client, "/predict");
  auto named = std::async(std::launch::async, client, "/v1/models/pets/predict");
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(models_.set_alias("pets", "champion", 1 + i % 2).has_value());
    service_->hosting().follow();
    EXPECT_TRUE(service_->hosting().set_default(i % 3 == 0 ? "cars" : "pets", std::nullopt).has_value());
  }
  stop = true;
  EXPECT_GT(plain.get(), 0);
  EXPECT_GT(named.get(), 0);
}

}  // namespace
}  // namespace imago::serve
