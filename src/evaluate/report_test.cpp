// SPDX-License-Identifier: Apache-2.0
#include "evaluate/report.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "evaluate/evaluation_plots.hpp"

namespace imago::evaluate {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

/// Three images of two classes, the second of which is wrong and sure of it.
const model::Logits kLogits{3, 2, {2.0F, 0.0F, 5.0F, 0.0F, 0.0F, 1.0F}};
const std::vector<int> kLabels{0, 1, 1};

Report example() {
  Report report;
  report.model = "pets";
  report.version = 3;
  report.dataset = "photos@abc";
  report.via = "package";
  report.manifest = {"photos", {"cat", "dog|<b>"}, {}, ""};
  for (int i = 0; i < 3; ++i)
    report.manifest.entries.push_back({fmt::format("{}.png", i), "", kLabels[static_cast<std::size_t>(i)]});
  report.metrics = compute_metrics(kLogits, kLabels, report.manifest.labels).value();
  report.answers = answers_of(kLogits, kLabels, std::vector<std::size_t>{0, 1, 2}, 1.0);
  report.curves = class_curves(kLogits, kLabels, report.manifest.labels, 1.0);
  report.singles = summarize({1.0, 3.0}, 2, 1);
  report.lineage = {{"run", "20261121-1"}};
  return report;
}

TEST(LookedAt, IsScoredInJsonAndMarkdownAndTheMeanLeavesOutMapsThatSayNothing) {
  Report report = example();
  EXPECT_TRUE(to_json(report)["explanations"]["mean_faithfulness"].is_null());
  EXPECT_TRUE(to_json(report)["worst_errors"][0]["faithfulness"].is_null());
  report.looked_at = {{.answer = 1, .predicted = {}, .truth = {}, .faithfulness = Faithfulness{0.25, 0.75}},
                      {.answer = 2, .predicted = {}, .truth = {}, .faithfulness = std::nullopt}};
  const auto value = to_json(report);
  EXPECT_EQ(value["explanations"]["images"], 2);
  EXPECT_EQ(value["explanations"]["mean_faithfulness"]["insertion"], 0.75);
  EXPECT_EQ(value["worst_errors"][0]["faithfulness"].dump(), R"({"deletion":0.25,"insertion":0.75})");
  EXPECT_THAT(to_markdown(report), HasSubstr("| 0.2500 | 0.7500 |"));
}

TEST(Report, SaysWhatScalingDidAndWhatCanBeAnswered) {
  Report report = example();
  EXPECT_FALSE(to_json(report).contains("coverage")) << "not measured";
  report.uncalibrated = calibration_of(kLogits, kLabels, 2.0);
  report.coverage = measure_coverage(report.answers);
  const model::AbstentionPolicy policy{.least_confidence = {0.8}, .most_energy = {}};
  judge(report.answers, kLogits, policy);
  report.abstention = abstention_outcome(report.answers, policy);
  const auto value = to_json(report);
  EXPECT_EQ(value["coverage"]["at"].size(), 3U);
  EXPECT_EQ(value["coverage"]["curve"].back()["accuracy"].get<double>(), report.metrics.accuracy);
  EXPECT_EQ(value["abstention"]["answered"], 2);
  EXPECT_GT(value["uncalibrated"]["mean_confidence"], 0.0);
  EXPECT_FALSE(metrics_json(report)["coverage"].contains("curve")) << "too long for what is kept and compared";
  const auto lines = predictions_jsonl(report, kLogits);
  EXPECT_THAT(lines, HasSubstr(R"("abstained":true,"abstained_because":"confidence")"));
  EXPECT_THAT(lines, HasSubstr(R"("energy":-5.0067)"));  // -log(exp(5) + 1)
  EXPECT_THAT(to_markdown(report), HasSubstr("| accuracy of what is answered | 50.00 % ("));
  EXPECT_THAT(confidence_in_words(report), HasSubstr("answered at 99 % accuracy: 0.00 % ("));
}

TEST(Report, SaysThroughWhatItWasMeasured) {
  Report report = example();
  EXPECT_EQ(report.through(), "the package");
  report.via = "learner";
  EXPECT_EQ(report.through(), "the learner");
  report.via = "http://localhost:8000";
  EXPECT_EQ(report.through(), "the server at http://localhost:8000");
}

TEST(ReportJson, HoldsTheMetricsAndAllThatIsBesideThem) {
  const auto value = to_json(example());
  EXPECT_EQ(metrics_from_json(value)->accuracy, example().metrics.accuracy);
  EXPECT_EQ(value["model"], "pets");
  EXPECT_EQ(value["version"], 3);
  EXPECT_EQ(value["split"], "test");
  EXPECT_EQ(value["latency"]["single_images"]["p50_ms"], 1.0);
  EXPECT_TRUE(value["latency"]["batches"].is_null());
  EXPECT_FALSE(value.contains("accuracy_by_views"));
  ASSERT_THAT(value["worst_errors"], SizeIs(1));
  EXPECT_EQ(value["worst_errors"][0]["path"], "1.png");
  EXPECT_EQ(value["worst_errors"][0]["prediction"], "cat");
}

TEST(ReportMarkdown, KeepsItsTablesWholeWhateverTheLabels) {
  const auto text = to_markdown(example());
  EXPECT_THAT(text, HasSubstr("# pets:3 on photos@abc, test split"));
  EXPECT_THAT(text, HasSubstr("| dog\\|\\<b> | 1.0000 | 0.5000 |"));
  EXPECT_THAT(text, HasSubstr("20261121-1"));
  EXPECT_THAT(text, Not(HasSubstr("Weakest")));
}

TEST(ReportMarkdown, NamesTheWeakestSliceWhenItStandsOut) {
  auto report = example();
  report.metrics.accuracy = 0.9;
  report.slices = {{"brightness", "0 to 12", 100, 50, 0.5, {0.404, 0.596}}};
  EXPECT_THAT(to_markdown(report), HasSubstr("Weakest where brightness is 0 to 12: 50.00 % (40.40 to 59.60) of 100"));
  report.metrics.accuracy = 0.55;
  EXPECT_EQ(weakness(report), "");
}

TEST(PredictionsJsonl, HasALineAnImageWithAllProbabilities) {
  const auto text = predictions_jsonl(example(), kLogits);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  const auto second =
      json::parse(text.substr(text.find('\n') + 1, text.find('\n', text.find('\n') + 1) - text.find('\n') - 1)).value();
  EXPECT_EQ(second["path"], "1.png");
  EXPECT_EQ(second["truth"], "dog|<b>");
  EXPECT_EQ(second["probabilities"], json::Value(model::softmax(kLogits.row(1))));
}

/// A hundred and twenty classes, one image of each; class 7 is taken for 8.
TEST(ManyClasses, LeaveTheMatrixToTheJsonAndALineToTheLikeliest) {
  constexpr int kMany = 120;
  Report report = example();
  model::Logits logits{kMany, kMany, std::vector<float>(std::size_t{kMany} * kMany)};
  std::vector<int> labels;
  std::vector<std::size_t> entries;
  report.manifest = {"photos", {}, {}, ""};
  for (int i = 0; i < kMany; ++i) {
    logits.data[static_cast<std::size_t>(i * kMany + (i == 7 ? 8 : i))] = 5;
    labels.push_back(i);
    entries.push_back(static_cast<std::size_t>(i));
    report.manifest.labels.push_back(fmt::format("label{}", i));
    report.manifest.entries.push_back({fmt::format("{}.png", i), "", i});
  }
  report.metrics = compute_metrics(logits, labels, report.manifest.labels).value();
  report.answers = answers_of(logits, labels, entries, 1.0);
  EXPECT_THAT(to_markdown(report), HasSubstr("| label7 | label8 | 1 |"));
  const auto lines = predictions_jsonl(report, logits);
  const auto first = json::parse(lines.substr(0, lines.find('\n'))).value();
  EXPECT_THAT(first["likeliest"], SizeIs(10));
  EXPECT_EQ(first["likeliest"].begin().key(), "label0");
  EXPECT_FALSE(first.contains("probabilities"));
}

TEST(Figures, LeaveOutWhatIsNotDefined) {
  std::string names;
  for (const auto& [name, value] : figures(example())) names += name + ", ";
  EXPECT_THAT(names, HasSubstr("one image at a time"));
  EXPECT_THAT(names, Not(HasSubstr("batches")));
  EXPECT_THAT(names, Not(HasSubstr("top-")));
}

TEST(ReliabilityDrawing, HasABarWithItsNumbersForEachBinWithImages) {
  const auto svg =
      image::to_svg(reliability_drawing(measure_calibration(std::vector{0.9, 0.95, 0.4}, {true, false, true})));
  EXPECT_THAT(svg, HasSubstr("0.333 to 0.400: 1 images, confidence 0.400, right 1.000"));
  EXPECT_THAT(svg, HasSubstr("0.867 to 0.933: 1 images, confidence 0.900, right 1.000"));
}

TEST(RankingPanels, DrawTheHardestClassesWhereThereAreMany) {
  const auto report = example();
  EXPECT_THAT(ranking_panels(report.curves, report.metrics.classes)[0].series, SizeIs(2));
  std::vector<ClassCurves> curves;
  std::vector<ClassMetrics> classes;
  for (int i = 0; i < 20; ++i) {
    curves.push_back({fmt::format("class {}", i), {{0, 0}, {1, 1}}, {{0, 1}, {1, 0.5}}});
    classes.push_back({.label = curves.back().label, .average_precision = i == 13 ? 0.1 : 0.9});
  }
  const auto panels = ranking_panels(curves, classes);
  ASSERT_THAT(panels[1].series, SizeIs(kMostClassesDrawn));
  EXPECT_EQ(panels[1].series.back().name, "class 13");
  EXPECT_THAT(panels[1].title, HasSubstr("6 hardest"));
}

}  // namespace
}  // namespace imago::evaluate
