// SPDX-License-Identifier: Apache-2.0
// Two versions that share the predictions, over HTTP.
#include "serve/arms.hpp"

#include <gmock/gmock.h>

#include <map>

#include "serve/service.hpp"
#include "serve/test_client.hpp"
#include "serve/test_model.hpp"

namespace imago::serve {
namespace {

class TwoArms : public testing::Test {
 protected:
  void SetUp() override {
    ServeOptions options;
    options.http.port = 0;
    options.challenger_share = 0.25;
    options.ab_seed = 5;
    auto started = Service::start(options);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    service_ = std::move(*started);
    ASSERT_TRUE(service_->load_model(model_.package(), {.model = "tiny", .version = 1}).has_value());
  }
  Result<void> challenge() { return service_->load_challenger(model_.package(), {.model = "tiny", .version = 2}); }
  [[nodiscard]] json::Value ask(const std::string& method, std::string_view path, http::Fields headers = {},
                                std::string body = {}) const {
    return json_in(exchange(service_->port(), method, path, std::move(headers), std::move(body)));
  }
  /// The version that answered.
  [[nodiscard]] int predict(const std::string& key = {}) const {
    http::Fields headers{{"Content-Type", "image/bmp"}};
    if (!key.empty()) headers["x-ab-key"] = key;
    return ask("POST", "/predict", std::move(headers), encode_bmp(sample_image(8, 1)))["model_version"].get<int>();
  }
  [[nodiscard]] std::map<int, int> predict_often(int times) const {
    std::map<int, int> counts;
    for (int i = 0; i < times; ++i) ++counts[predict()];
    return counts;
  }

  TestModel model_;
  std::unique_ptr<Service> service_;
};

TEST_F(TwoArms, ShareTheRequestsAsStated) {
  ASSERT_TRUE(challenge().has_value());
  const auto counts = predict_often(400);
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_NEAR(counts.at(2), 100, 44);  // five standard deviations of a binomial share
  const auto arms = ask("GET", "/status")["arms"];
  EXPECT_EQ(arms, (json::Value{{{"name", "tiny"}, {"version", 1}, {"share", 75.0}},
                               {{"name", "tiny"}, {"version", 2}, {"share", 25.0}}}));
}

TEST_F(TwoArms, AnswerAKeyAlwaysByTheSameVersion) {
  ASSERT_TRUE(challenge().has_value());
  AbSplit split(0.25, 0);
  std::map<int, int> counts;
  for (int user = 0; user < 40; ++user) {
    const std::string key = fmt::format("user-{}", user);
    const int version = predict(key);
    EXPECT_EQ(version, split.takes_challenger(key) ? 2 : 1) << key;
    EXPECT_EQ(predict(key), version) << key;
    ++counts[version];
  }
  EXPECT_EQ(counts.size(), 2U);
}

TEST_F(TwoArms, LeaveAllToTheMainModelWithoutAChallenger) {
  EXPECT_EQ(predict_often(40), (std::map<int, int>{{1, 40}}));
  ASSERT_TRUE(challenge().has_value());
  service_->drop_challenger();
  EXPECT_EQ(predict_often(40), (std::map<int, int>{{1, 40}}));
  EXPECT_EQ(ask("GET", "/status")["arms"], (json::Value{{{"name", "tiny"}, {"version", 1}, {"share", 100.0}}}));
}

TEST_F(TwoArms, CompareOnlyModelsOfTheSameLabels) {
  ASSERT_TRUE(challenge().has_value());
  model_.package().spec.labels = {"cat", "dog", "toad"};
  ASSERT_TRUE(service_->load_model(model_.package(), {.model = "tiny", .version = 3}).has_value());
  EXPECT_EQ(predict_often(40), (std::map<int, int>{{3, 40}}));
  EXPECT_EQ(ask("GET", "/status")["arms"].size(), 1U);
  ASSERT_TRUE(challenge().has_value());
  EXPECT_EQ(ask("GET", "/status")["arms"].size(), 2U);
}

TEST_F(TwoArms, AreCountedEachByItsVersion) {
  ASSERT_TRUE(challenge().has_value());
  const auto counts = predict_often(40);
  const auto text = http::fetch({.url = fmt::format("http://127.0.0.1:{}/metrics/prometheus", service_->port())});
  ASSERT_TRUE(text.has_value());
  for (const auto& [version, times] : counts) {
    EXPECT_THAT(text->body,
                testing::HasSubstr(fmt::format(
                    "imago_prediction_stage_seconds_count{{model=\"tiny\",stage=\"total\",version=\"{}\"}} {}\n",
                    version, times)));
  }
}

TEST_F(TwoArms, GoOnWithOneWhenTheOtherIsBroken) {
  ASSERT_TRUE(challenge().has_value());
  for (float& logit : model_.package().golden.logits.data) logit += 1.0F;
  EXPECT_FALSE(challenge().has_value());
  EXPECT_EQ(predict_often(40), (std::map<int, int>{{1, 40}}));
}

}  // namespace
}  // namespace imago::serve
