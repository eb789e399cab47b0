// SPDX-License-Identifier: Apache-2.0
#include "evaluate/calibration.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "evaluate/metrics.hpp"

namespace imago::evaluate {
namespace {

using ::testing::HasSubstr;

struct Sample {
  model::Logits logits;
  std::vector<int> labels;
};

/// 40 rows of 3; every fifth is labelled with the class after the most likely one.
Sample sample(double scale) {
  Sample made{{.n = 40, .classes = 3, .data = {}}, {}};
  for (int i = 0; i < 40; ++i) {
    for (int j = 0; j < 3; ++j) made.logits.data.push_back(static_cast<float>(scale * std::sin(1.3 * i + 2.1 * j)));
    made.labels.push_back((model::argmax(made.logits.row(i)) + (i % 5 == 0 ? 1 : 0)) % 3);
  }
  return made;
}

TEST(Calibration, FindsTheTemperatureThatScipyFinds) {
  // scipy 1.17.1: minimize_scalar over log T of -log_softmax(z / T)[label].mean(), bounded, xatol 1e-12.
  const auto sure = sample(3.0);
  EXPECT_NEAR(fit_temperature(sure.logits, sure.labels).value(), 1.99120267, 1e-6);
  const auto unsure = sample(0.5);
  EXPECT_NEAR(fit_temperature(unsure.logits, unsure.labels).value(), 0.33186711, 1e-6);
  const auto metrics = compute_metrics(sure.logits, sure.labels, {"a", "b", "c"}, 1.99120267);
  EXPECT_NEAR(metrics->log_loss, 0.71110355, 1e-7);
}

TEST(Calibration, LeavesAloneWhatHasNoMinimum) {
  auto all_right = sample(3.0);
  for (int i = 0; i < 40; ++i) all_right.labels[static_cast<std::size_t>(i)] = model::argmax(all_right.logits.row(i));
  EXPECT_EQ(fit_temperature(all_right.logits, all_right.labels).value(), 1.0);
  auto all_wrong = all_right;
  for (int& label : all_wrong.labels) label = (label + 1) % 3;
  EXPECT_EQ(fit_temperature(all_wrong.logits, all_wrong.labels).value(), 1.0);
  const model::Logits flat{2, 2, {1.0F, 1.0F, 2.0F, 2.0F}};
  EXPECT_EQ(fit_temperature(flat, std::vector<int>{0, 1}).value(), 1.0);
}

TEST(Calibration, SaysWhatIsWrong) {
  auto made = sample(1.0);
  EXPECT_FALSE(fit_temperature({}, {}));
  EXPECT_THAT(fit_temperature(made.logits, std::span(made.labels).first(39)).error().message, HasSubstr("39 labels"));
  made.labels[7] = 3;
  EXPECT_EQ(fit_temperature(made.logits, made.labels).error().message, "label 3, but 3 classes");
  made.labels[7] = 0;
  made.logits.data[5] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(fit_temperature(made.logits, made.labels).error().message, "a logit is not finite");
}

TEST(MeasureCalibration, ClosesItsBinsOnTheRight) {
  const auto found = measure_calibration(std::vector{0.5, 0.50001, 1.0, 0.0}, {true, false, true, false}, 2);
  ASSERT_EQ(found.bins.size(), 2U);
  EXPECT_EQ(found.bins[0].n, 2);
  EXPECT_DOUBLE_EQ(found.bins[0].confidence, 0.25);
  EXPECT_DOUBLE_EQ(found.bins[0].accuracy, 0.5);
  EXPECT_EQ(found.bins[1].n, 2);
  EXPECT_NEAR(found.expected_error, 0.5 * 0.25 + 0.5 * 0.250005, 1e-12);
  EXPECT_NEAR(found.largest_error, 0.250005, 1e-12);
}

TEST(MeasureCalibration, SurvivesBeingWritten) {
  const auto written = to_json(measure_calibration(std::vector{0.7, 0.9}, {true, false}));
  EXPECT_EQ(to_json(calibration_from_json(written).value()), written);
  EXPECT_EQ(written["bins"].size(), 15U);
  EXPECT_FALSE(calibration_from_json({{"expected_error", 0.1}}));
}

}  // namespace
}  // namespace imago::evaluate
