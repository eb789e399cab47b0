// SPDX-License-Identifier: Apache-2.0
#include "serve/answer.hpp"

#include <gmock/gmock.h>

#include "json/json.hpp"

namespace imago::serve {
namespace {

using testing::HasSubstr;

constexpr std::array<double, 3> kProbabilities{0.25, 0.7, 0.05};

Prediction sample() {
  return {.filename = "a \"b\".png",
          .probabilities = kProbabilities,
          .class_index = 1,
          .latency_seconds = 0.00125,
          .time = WallTime(std::chrono::seconds(1'700'000'000)),
          .request_id = "abc"};
}

json::Value written(const AnswerWriter& writer, const Prediction& prediction, const AnswerOptions& options = {}) {
  auto value = json::parse(writer.write(prediction, options));
  EXPECT_TRUE(value.has_value()) << writer.write(prediction, options);
  return value.value_or(json::Value());
}

AnswerOptions options_of(http::Fields query) {
  http::Request request;
  request.query = std::move(query);
  return answer_options(request).value();
}

TEST(Answer, HoldsWhatEverySeedsClientReads) {
  const AnswerWriter writer("cifar\"10", 3, {"cat", "d\"og", "frog"});
  EXPECT_EQ(
      writer.write(sample()),
      R"({"filename":"a \"b\".png","prediction":"d\"og","predicted_class":"d\"og","predicted_label":"d\"og","class_index":1,)"
      R"("confidence":0.7,"probabilities":[0.25,0.7,0.05],"class_probabilities":{"cat":0.25,"d\"og":0.7,"frog":0.05},)"
      R"("latency_seconds":0.00125,"prediction_time":0.00125,"timestamp":"2023-11-14T22:13:20.000Z","model":"cifar\"10",)"
      R"("model_version":3,"request_id":"abc"})");
}

TEST(Answer, NamesNoFileWhereThereIsNone) {
  auto prediction = sample();
  prediction.filename.reset();
  EXPECT_TRUE(written(AnswerWriter("m", 1, {"a", "b", "c"}), prediction)["filename"].is_null());
}

TEST(Answer, AddsTheProbabilityOfTheSecondOfTwoClasses) {
  auto prediction = sample();
  constexpr std::array<double, 2> kTwo{0.2, 0.8};
  prediction.probabilities = kTwo;
  EXPECT_EQ(written(AnswerWriter("m", 1, {"cat", "dog"}), prediction)["probability_dog"].get<float>(), 0.8F);
  const auto other = written(AnswerWriter("m", 1, {"dog", "wolf"}), prediction);
  EXPECT_EQ(other["probability_wolf"].get<float>(), 0.8F);
  EXPECT_EQ(other["probability_dog"].get<float>(), 0.2F);
}

TEST(Answer, GivesTheIndexWhenAsked) {
  const auto value = written(AnswerWriter("m", 1, {"a", "b", "c"}), sample(), options_of({{"prediction", "index"}}));
  EXPECT_EQ(value["prediction"], 1);
  EXPECT_EQ(value["predicted_class"], "b");
}

TEST(Answer, KeepsToTheFieldsAskedFor) {
  const AnswerWriter writer("m", 1, {"a", "b", "c"});
  EXPECT_EQ(writer.write(sample(), options_of({{"fields", "confidence,prediction"}})),
            R"({"prediction":"b","confidence":0.7})");
  EXPECT_EQ(writer.write(sample(), options_of({{"fields", "probability_dog"}})), "{}");
  EXPECT_EQ(written(writer, sample(), options_of({{"fields", ""}})).size(), 14U);
}

TEST(Answer, SaysThatItAbstainsWhereTheModelHasAPolicy) {
  const AnswerWriter writer("m", 1, {"a", "b", "c"});
  auto prediction = sample();
  prediction.doubt = model::Doubt::None;
  EXPECT_EQ(written(writer, prediction)["abstained"], false);
  EXPECT_FALSE(written(writer, prediction).contains("abstained_because"));
  prediction.doubt = model::Doubt::Confidence;
  EXPECT_EQ(writer.write(prediction, options_of({{"fields", "prediction,abstained,abstained_because"}})),
            R"({"prediction":"b","abstained":true,"abstained_because":"confidence"})");
  prediction.doubt = model::Doubt::Energy;
  EXPECT_EQ(written(writer, prediction)["abstained_because"], "energy");
  EXPECT_EQ(written(writer, prediction)["predicted_class"], "b") << "the class is named all the same";
}

TEST(Answer, GivesTheEnergyWhenAsked) {
  const AnswerWriter writer("m", 1, {"a", "b", "c"});
  auto prediction = sample();
  prediction.energy = -2.5;
  EXPECT_FALSE(written(writer, prediction).contains("energy"));
  EXPECT_EQ(written(writer, prediction, options_of({{"details", "energy"}})).size(), 15U);
  EXPECT_EQ(writer.write(prediction, options_of({{"fields", "energy"}})), R"({"energy":-2.5})");
  EXPECT_EQ(writer.write(prediction, options_of({{"fields", "confidence"}, {"details", "energy"}})),
            R"({"confidence":0.7,"energy":-2.5})");
}

TEST(Answer, RefusesUnknownFieldsAndReadings) {
  http::Request request;
  request.query = {{"details", "everything"}};
  EXPECT_THAT(answer_options(request).error().message, HasSubstr("'everything': energy is known"));
  request.query = {{"fields", "prediction,colour"}};
  EXPECT_THAT(answer_options(request).error().message, HasSubstr("'colour': known are filename, prediction"));
  request.query = {{"prediction", "number"}};
  EXPECT_THAT(answer_options(request).error().message, HasSubstr("'number'"));
}

TEST(Answer, AddsTheLikeliestClasses) {
  const AnswerWriter writer("m", 1, {"a", "b", "c"});
  const auto top = written(writer, sample(), options_of({{"top", "2"}}))["top"];
  ASSERT_EQ(top.size(), 2U);
  EXPECT_EQ(top[0], (json::Value{{"label", "b"}, {"class_index", 1}, {"probability", 0.7}}));
  EXPECT_EQ(top[1]["label"], "a");
  EXPECT_EQ(written(writer, sample(), options_of({{"top", "9"}}))["top"].size(), 3U);
  EXPECT_FALSE(written(writer, sample()).contains("top"));
  for (const char* text : {"0", "-1", "x", "1001"}) {
    http::Request request;
    request.query = {{"top", text}};
    EXPECT_EQ(answer_options(request).error().code, ErrorCode::InvalidArgument) << text;
  }
}

TEST(Answer, OfEqualClassesTheFirstIsTheLikeliest) {
  constexpr std::array<double, 3> kEqual{0.25, 0.5, 0.25};
  auto prediction = sample();
  prediction.probabilities = kEqual;
  const auto top = written(AnswerWriter("m", 1, {"a", "b", "c"}), prediction, options_of({{"top", "3"}}))["top"];
  EXPECT_EQ(top[1]["label"], "a");
  EXPECT_EQ(top[2]["label"], "c");
}

}  // namespace
}  // namespace imago::serve
