// SPDX-License-Identifier: Apache-2.0
// Everything that is measured, against what scikit-learn 1.9.1 and SciPy 1.17.1 say: tests/golden/metrics.py.
#include <gmock/gmock.h>

#include "base/source_dir.hpp"
#include "evaluate/metrics.hpp"
#include "evaluate/paired.hpp"

namespace imago::evaluate {
namespace {

constexpr double kTolerance = 1e-9;

const json::Value& golden() {
  static const json::Value value = json::read(source_dir() + "/tests/golden/metrics.json").value();
  return value;
}

std::vector<std::string> names(int classes) {
  std::vector<std::string> result;
  for (int c = 0; c < classes; ++c) result.push_back(fmt::format("class {}", c));
  return result;
}

Metrics measure(const json::Value& one) {
  const int classes = one["classes"];
  const auto data = one["logits"].get<std::vector<float>>();
  const auto labels = one["labels"].get<std::vector<int>>();
  const model::Logits logits{static_cast<int>(labels.size()), classes, data};
  return compute_metrics(logits, labels, names(classes), one["temperature"].get<double>()).value();
}

void expect_near(const Averages& found, const json::Value& expected) {
  EXPECT_NEAR(found.precision, expected["precision"].get<double>(), kTolerance);
  EXPECT_NEAR(found.recall, expected["recall"].get<double>(), kTolerance);
  EXPECT_NEAR(found.f1, expected["f1"].get<double>(), kTolerance);
}

void expect_near(const std::optional<double>& found, const json::Value& expected) {
  ASSERT_EQ(found.has_value(), !expected.is_null());
  if (found) {
    EXPECT_NEAR(*found, expected.get<double>(), kTolerance);
  }
}

template <class Check>
void for_each_case(const Check& check) {
  ASSERT_GE(golden()["cases"].size(), 10U);
  for (const json::Value& one : golden()["cases"]) {
    SCOPED_TRACE(one["name"].get<std::string>());
    check(measure(one), one["expected"]);
  }
}

TEST(AgainstScikitLearn, WhatTheAnswersAloneDetermine) {
  for_each_case([](const Metrics& found, const json::Value& expected) {
    EXPECT_NEAR(found.accuracy, expected["accuracy"].get<double>(), kTolerance);
    expect_near({found.macro_precision, found.macro_recall, found.macro_f1}, expected["macro"]);
    expect_near(found.micro, expected["micro"]);
    expect_near(found.weighted, expected["weighted"]);
    EXPECT_NEAR(found.balanced_accuracy, expected["balanced_accuracy"].get<double>(), kTolerance);
    EXPECT_NEAR(found.matthews, expected["matthews"].get<double>(), kTolerance);
    EXPECT_EQ(json::Value(found.confusion), expected["confusion"]);
  });
}

TEST(AgainstScikitLearn, WhatProbabilitiesAreWorth) {
  for_each_case([](const Metrics& found, const json::Value& expected) {
    EXPECT_NEAR(found.log_loss, expected["log_loss"].get<double>(), kTolerance);
    EXPECT_NEAR(found.brier, expected["brier"].get<double>(), kTolerance);
    EXPECT_NEAR(found.calibration.expected_error, expected["expected_calibration_error"].get<double>(), kTolerance);
    EXPECT_NEAR(found.calibration.largest_error, expected["largest_calibration_error"].get<double>(), kTolerance);
  });
}

TEST(AgainstScikitLearn, RankingsOfEachClassAndTheirMeans) {
  for_each_case([](const Metrics& found, const json::Value& expected) {
    for (std::size_t c = 0; c < found.classes.size(); ++c) {
      SCOPED_TRACE(c);
      expect_near(found.classes[c].roc_auc, expected["roc_auc"][c]);
      expect_near(found.classes[c].average_precision, expected["average_precision"][c]);
    }
    expect_near(found.macro_roc_auc, expected["macro_roc_auc"]);
    expect_near(found.macro_average_precision, expected["macro_average_precision"]);
  });
}

TEST(AgainstScikitLearn, TheTruthAmongTheLikeliest) {
  for_each_case([](const Metrics& found, const json::Value& expected) {
    ASSERT_EQ(found.top_k.size(), expected["top_k"].size());
    for (const TopK& one : found.top_k)
      EXPECT_NEAR(one.accuracy, expected["top_k"][std::to_string(one.k)].get<double>(), kTolerance) << one.k;
  });
}

TEST(AgainstScipy, McNemarsTestExactAndByChiSquare) {
  for (const json::Value& one : golden()["mcnemar"]) {
    SCOPED_TRACE(one.dump());
    const auto found = mcnemar(one["broken"].get<std::int64_t>(), one["fixed"].get<std::int64_t>());
    EXPECT_NEAR(found.p_exact, one["p_exact"].get<double>(), kTolerance * one["p_exact"].get<double>());
    EXPECT_NEAR(found.statistic, one["statistic"].get<double>(), kTolerance);
    EXPECT_NEAR(found.p_chi_square, one["p_chi_square"].get<double>(), kTolerance * one["p_chi_square"].get<double>());
  }
}

// Both are random: the ends lie within one and a half images of each other.
TEST(AgainstScipy, TheBootstrapIntervalOfADifference) {
  for (const json::Value& one : golden()["bootstrap"]) {
    SCOPED_TRACE(one.dump());
    const PairedCounts counts{one["both"], one["broken"], one["fixed"], one["neither"]};
    Rng rng(5);
    const auto found = bootstrap_difference(counts, rng);
    const double one_image = 1.5 / static_cast<double>(counts.n());
    EXPECT_NEAR(found.low, one["low"].get<double>(), one_image);
    EXPECT_NEAR(found.high, one["high"].get<double>(), one_image);
  }
}

}  // namespace
}  // namespace imago::evaluate
