// SPDX-License-Identifier: Apache-2.0
#include "evaluate/metrics.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace imago::evaluate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> kNames{"cat", "dog", "fox", "owl"};
const std::vector<int> kLabels{0, 2, 1, 1, 2, 3, 2, 0};

/// Eight images, four classes; "owl" is never predicted.
model::Logits example_logits() {
  return {
      8, 4, {2.0F, 0.5F,  -1.0F, 0.0F,  0.1F, 0.2F, 0.3F, -2.0F, 1.5F,  1.0F,  -0.5F, 0.0F,  -1.0F, 3.0F,  0.5F, 0.25F,
             0.0F, 0.75F, 2.5F,  -0.5F, 0.6F, 0.4F, 0.2F, -3.0F, -0.5F, 1.25F, 1.0F,  -1.0F, 3.0F,  -1.0F, 0.0F, 0.5F}};
}

Metrics example() { return compute_metrics(example_logits(), kLabels, kNames).value(); }

// Expected values: scikit-learn 1.9.1 on the same logits, precision_recall_fscore_support(labels=[0, 1, 2, 3],
// zero_division=0), also with average="macro".
TEST(ComputeMetrics, AgreesWithScikitLearnOnEveryClassAndTheirMeans) {
  const auto metrics = example();
  EXPECT_EQ(metrics.n, 8);
  EXPECT_DOUBLE_EQ(metrics.accuracy, 0.625);
  const std::vector<ClassMetrics> expected{
      {"cat", 0.5, 1.0, 2.0 / 3, 2}, {"dog", 0.5, 0.5, 0.5, 2}, {"fox", 1.0, 2.0 / 3, 0.8, 3}, {"owl", 0, 0, 0, 1}};
  ASSERT_EQ(metrics.classes.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(metrics.classes[i].label, expected[i].label);
    EXPECT_DOUBLE_EQ(metrics.classes[i].precision, expected[i].precision);
    EXPECT_DOUBLE_EQ(metrics.classes[i].recall, expected[i].recall);
    EXPECT_DOUBLE_EQ(metrics.classes[i].f1, expected[i].f1);
    EXPECT_EQ(metrics.classes[i].support, expected[i].support);
  }
  EXPECT_DOUBLE_EQ(metrics.macro_precision, 0.5);
  EXPECT_DOUBLE_EQ(metrics.macro_recall, 0.5416666666666666);
  EXPECT_DOUBLE_EQ(metrics.macro_f1, 0.49166666666666664);
}

// scikit-learn 1.9.1: confusion_matrix(labels=[0, 1, 2, 3]); rows are the truth.
TEST(ComputeMetrics, CountsTruthInRowsAndPredictionsInColumns) {
  EXPECT_THAT(example().confusion, ElementsAre(ElementsAre(2, 0, 0, 0), ElementsAre(1, 1, 0, 0),
                                               ElementsAre(0, 1, 2, 0), ElementsAre(1, 0, 0, 0)));
}

// scikit-learn 1.9.1: log_loss of scipy's softmax(logits / temperature), both in double.
TEST(ComputeMetrics, LogLossFollowsTheTemperatureAndAccuracyDoesNot) {
  EXPECT_NEAR(example().log_loss, 1.0761552122969051, 1e-12);
  const auto softer = compute_metrics(example_logits(), kLabels, kNames, 2.0);
  ASSERT_TRUE(softer);
  EXPECT_NEAR(softer->log_loss, 1.0889192764075222, 1e-12);
  EXPECT_DOUBLE_EQ(softer->accuracy, 0.625);
}

TEST(ComputeMetrics, ClipsTheLossOfACertainAndWrongAnswer) {
  const auto metrics = compute_metrics({1, 2, {1000.0F, -1000.0F}}, std::vector{1}, {"a", "b"});
  ASSERT_TRUE(metrics);
  EXPECT_NEAR(metrics->log_loss, 36.04365338911715, 1e-9);  // -ln(2^-52)
}

TEST(ComputeMetrics, RefusesWhatCannotBeMeasuredSayingWhy) {
  const auto refusal = [](const model::Logits& logits, const std::vector<int>& labels,
                          const std::vector<std::string>& names, double temperature = 1.0) {
    const auto metrics = compute_metrics(logits, labels, names, temperature);
    EXPECT_FALSE(metrics);
    if (metrics) return std::string();
    EXPECT_EQ(metrics.error().code, ErrorCode::InvalidArgument);
    return metrics.error().message;
  };
  refusal({0, 2, {}}, {}, {"a", "b"});
  refusal({2, 2, {1, 2, 3}}, {0, 1}, {"a", "b"});
  EXPECT_THAT(refusal({1, 2, {0, 1}}, {0, 1}, {"a", "b"}), HasSubstr("2 labels"));
  EXPECT_THAT(refusal({1, 2, {0, 1}}, {0}, {"a", "b", "c"}), HasSubstr("3"));
  EXPECT_THAT(refusal({1, 2, {0, 1}}, {2}, {"a", "b"}), HasSubstr("label 2"));
  EXPECT_THAT(refusal({1, 2, {0, 1}}, {-1}, {"a", "b"}), HasSubstr("label -1"));
  EXPECT_THAT(refusal({2, 2, {0, 1, std::numeric_limits<float>::quiet_NaN(), 1}}, {0, 1}, {"a", "b"}),
              HasSubstr("image 1"));
  EXPECT_THAT(refusal({1, 2, {0, std::numeric_limits<float>::infinity()}}, {0}, {"a", "b"}), HasSubstr("inf"));
  EXPECT_THAT(refusal({1, 2, {0, 1}}, {0}, {"a", "b"}, 0.0), HasSubstr("temperature 0"));
}

// statsmodels 0.15.0: proportion_confint(k, n, method="wilson").
TEST(WilsonInterval, AgreesWithStatsmodels) {
  struct Case {
    std::int64_t k, n;
    double low, high;
  };
  for (const auto& [k, n, low, high] : {Case{5, 8, 0.3057423946026273, 0.8631557141764027},
                                        {0, 10, 0.0, 0.27753279986288926},
                                        {10, 10, 0.7224672001371106, 1.0},
                                        {7400, 10000, 0.7313119239238015, 0.7485037568582737},
                                        {1, 1, 0.2065493143772374, 1.0}}) {
    const auto interval = wilson_interval(k, n);
    EXPECT_NEAR(interval.low, low, 1e-12) << k << " of " << n;
    EXPECT_NEAR(interval.high, high, 1e-12) << k << " of " << n;
  }
}

TEST(MetricsJson, ComesBackAsItWas) {
  const auto text = json::dump(to_json(example()));
  const auto back = metrics_from_json(json::parse(text).value());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(json::dump(to_json(*back)), text);
  EXPECT_EQ(back->confusion, example().confusion);
  EXPECT_DOUBLE_EQ(back->accuracy_interval.high, example().accuracy_interval.high);
}

TEST(MetricsJson, RefusesAMissingFieldAndAMatrixOfTheWrongSize) {
  const auto whole = to_json(example());
  for (const std::string key : {"n", "accuracy", "accuracy_interval", "macro_precision", "macro_recall", "macro_f1",
                                "log_loss", "classes", "confusion"}) {
    auto broken = whole;
    broken.erase(key);
    const auto read = metrics_from_json(broken);
    ASSERT_FALSE(read) << key;
    EXPECT_THAT(read.error().message, HasSubstr(key));
  }
  auto narrow = to_json(example());
  narrow["confusion"][1].erase(0);
  EXPECT_FALSE(metrics_from_json(narrow));
  auto text = to_json(example());
  text["confusion"][0][0] = "two";
  EXPECT_FALSE(metrics_from_json(text));
}

TEST(MetricsJson, ReadsReportsOfPackagesThatHaveLess) {
  auto old = to_json(example());
  for (const char* key : {"top_k", "micro", "weighted", "balanced_accuracy", "matthews", "brier", "macro_roc_auc",
                          "macro_average_precision", "calibration"})
    old.erase(key);
  for (auto& one : old["classes"]) {
    one.erase("roc_auc");
    one.erase("average_precision");
  }
  const auto read = metrics_from_json(old);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->accuracy, example().accuracy);
  EXPECT_FALSE(read->macro_roc_auc);
  EXPECT_TRUE(read->top_k.empty());
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines{""};
  for (const char c : text) {
    if (c == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += c;
    }
  }
  return lines;
}

TEST(FormatTable, ShowsAccuracyWithItsIntervalAndARowForEveryClass) {
  const auto text = format_table(example());
  EXPECT_THAT(text, HasSubstr("62.50 %"));
  EXPECT_THAT(text, HasSubstr("30.57 to 86.32"));
  EXPECT_THAT(text, HasSubstr("0.5417"));  // macro recall
  const auto lines = lines_of(text);
  for (const auto& name : kNames) {
    // Once in the table of classes, once in the confusion matrix.
    EXPECT_EQ(std::count_if(lines.begin(), lines.end(), [&](const auto& line) { return line.starts_with(name + " "); }),
              2)
        << name;
  }
}

TEST(FormatTable, LinesUpEveryRowOfATableWhateverTheScriptOfTheLabels) {
  const auto metrics =
      compute_metrics(example_logits(), kLabels, {"кошка", "dog", "fox", "a long label indeed"}).value();
  const auto columns = [](const std::string& line) {
    return std::count_if(line.begin(), line.end(),
                         [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
  };
  std::vector<std::vector<std::string>> tables{{}};
  for (const auto& line : lines_of(format_table(metrics))) {
    if (line.empty()) {
      tables.emplace_back();
    } else {
      tables.back().push_back(line);
    }
  }
  ASSERT_GE(tables.size(), 3U);
  for (std::size_t t = 1; t < tables.size(); ++t) {
    for (const auto& line : tables[t]) EXPECT_EQ(columns(line), columns(tables[t].front())) << line;
  }
}

TEST(FormatTable, ListsTheWorstConfusionsWhereTheMatrixWouldBeTooWide) {
  constexpr int kMany = 40;
  model::Logits logits{kMany, kMany, std::vector<float>(std::size_t{kMany} * kMany)};
  std::vector<int> labels;
  std::vector<std::string> names;
  for (int i = 0; i < kMany; ++i) {
    logits.data[static_cast<std::size_t>(i * kMany + (i == 7 ? 8 : i))] = 5;
    labels.push_back(i);
    names.push_back(fmt::format("label{}", i));
  }
  const auto text = format_table(compute_metrics(logits, labels, names).value());
  EXPECT_THAT(text, HasSubstr("label7 taken for label8"));
  for (const auto& line : lines_of(text)) EXPECT_LT(line.size(), 100U);
}

}  // namespace
}  // namespace imago::evaluate
