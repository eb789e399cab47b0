// SPDX-License-Identifier: Apache-2.0
// A report in words: its figures, and the whole of it as Markdown.
#include <algorithm>

#include "evaluate/report.hpp"

namespace imago::evaluate {
namespace {

constexpr std::size_t kSlicesInMarkdown = 15;
constexpr std::size_t kMostMatrixClasses = 30;
constexpr std::size_t kConfusionsInMarkdown = 30;

std::string percent(double share) { return fmt::format("{:.2f} %", 100.0 * share); }

std::string with_interval(double share, const Interval& interval) {
  return fmt::format("{} ({:.2f} to {:.2f})", percent(share), 100.0 * interval.low, 100.0 * interval.high);
}

double share(std::int64_t part, std::int64_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

std::string number(const std::optional<double>& value) { return value ? fmt::format("{:.4f}", *value) : "-"; }

std::string milliseconds(const Latency& latency) {
  return fmt::format("p50 {:.2f} ms, p99 {:.2f} ms, {:.0f} images/s", latency.p50_ms, latency.p99_ms,
                     latency.images_per_second);
}

/// A cell of a Markdown table: a bar would end it, and a line feed the table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '\\' || c == '<' || c == '`' || c == '*' || c == '_' || c == '[') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

std::string row(const std::vector<std::string>& cells) { return fmt::format("| {} |\n", fmt::join(cells, " | ")); }

std::string head(const std::vector<std::string>& cells, std::size_t texts) {
  std::vector<std::string> rule;
  for (std::size_t i = 0; i < cells.size(); ++i) rule.emplace_back(i < texts ? "---" : "---:");
  return row(cells) + row(rule);
}

std::string classes_table(const Metrics& metrics) {
  std::string out = head({"class", "precision", "recall", "F1", "ROC-AUC", "PR-AUC", "images"}, 1);
  for (const ClassMetrics& one : metrics.classes) {
    out += row({cell(one.label), number(one.precision), number(one.recall), number(one.f1), number(one.roc_auc),
                number(one.average_precision), std::to_string(one.support)});
  }
  return out;
}

std::string confusions_list(const Metrics& metrics) {
  std::string out = head({"truth", "said", "images"}, 2);
  for (const Confusion& one : frequent_confusions(metrics, kConfusionsInMarkdown)) {
    out += row({cell(metrics.classes[static_cast<std::size_t>(one.truth)].label),
                cell(metrics.classes[static_cast<std::size_t>(one.said)].label), std::to_string(one.n)});
  }
  return out;
}

std::string confusion_table(const Metrics& metrics) {
  if (metrics.classes.size() > kMostMatrixClasses) return confusions_list(metrics);
  std::vector<std::string> labels{"truth \\ said"};
  for (const ClassMetrics& one : metrics.classes) labels.push_back(cell(one.label));
  std::string out = head(labels, 1);
  for (std::size_t truth = 0; truth < metrics.confusion.size(); ++truth) {
    std::vector<std::string> cells{labels[truth + 1]};
    for (const std::int64_t count : metrics.confusion[truth]) cells.push_back(std::to_string(count));
    out += row(cells);
  }
  return out;
}

std::string slices_table(const std::vector<Slice>& slices) {
  std::string out = head({"column", "value", "accuracy", "95 % interval", "images"}, 2);
  for (std::size_t i = 0; i < std::min(kSlicesInMarkdown, slices.size()); ++i) {
    const Slice& slice = slices[i];
    out += row({slice.column, cell(slice.value), percent(slice.accuracy),
                fmt::format("{:.2f} to {:.2f}", 100.0 * slice.interval.low, 100.0 * slice.interval.high),
                std::to_string(slice.n)});
  }
  return out;
}

std::string errors_table(const Report& report) {
  std::string out = head({"image", "truth", "prediction", "confidence", "deletion", "insertion"}, 3);
  for (const std::size_t i : worst_errors(report.answers, kWorstErrors)) {
    const Answer& answer = report.answers[i];
    std::vector<std::string> cells{cell(report.entry(answer).path),
                                   cell(report.label(answer.truth)),
                                   cell(report.label(answer.predicted)),
                                   percent(answer.confidence),
                                   "-",
                                   "-"};
    if (const LookedAt* looked = looked_at(report, i); looked != nullptr && looked->faithfulness) {
      cells[4] = fmt::format("{:.4f}", looked->faithfulness->deletion);
      cells[5] = fmt::format("{:.4f}", looked->faithfulness->insertion);
    }
    out += row(cells);
  }
  return out;
}

/// What scaling did for the confidence, and what can be relied on.
void add_selective(const Report& report, std::vector<std::pair<std::string, std::string>>& list) {
  if (report.uncalibrated) list.emplace_back("ECE before scaling", number(report.uncalibrated->expected_error));
  for (const CoverageAt& at : report.coverage.at)
    list.emplace_back(fmt::format("answered at {:g} % accuracy", 100.0 * at.accuracy),
                      with_interval(at.coverage, at.interval));
  if (!report.abstention) return;
  const AbstentionOutcome& outcome = *report.abstention;
  const std::int64_t answered = outcome.answered();
  list.emplace_back("answered under its policy",
                    with_interval(share(answered, outcome.n), wilson_interval(answered, outcome.n)));
  if (answered > 0)
    list.emplace_back("accuracy of what is answered",
                      with_interval(share(outcome.right, answered), wilson_interval(outcome.right, answered)));
}

/// The curve at a dozen places, from all images to few.
std::string coverage_table(const Coverage& coverage) {
  std::string out = head({"answered", "accuracy", "least confidence"}, 0);
  const std::size_t last = coverage.curve.size() - 1;
  const std::size_t rows = std::min<std::size_t>(last + 1, 12);
  for (std::size_t i = 0; i < rows; ++i) {
    const CoveragePoint& point = coverage.curve[last - i * (last + 1) / rows];
    out += row({percent(share(point.answered, coverage.n)), percent(point.accuracy()),
                fmt::format("{:.4f}", point.least_confidence)});
  }
  return out;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> figures(const Report& report) {
  const Metrics& metrics = report.metrics;
  std::vector<std::pair<std::string, std::string>> list{
      {"accuracy", with_interval(metrics.accuracy, metrics.accuracy_interval)}};
  for (const TopK& one : metrics.top_k)
    list.emplace_back(fmt::format("top-{} accuracy", one.k), with_interval(one.accuracy, one.interval));
  for (const auto& [name, accuracy] : report.views.items())
    list.emplace_back("accuracy with views " + name, percent(accuracy.get<double>()));
  list.insert(list.end(), {{"balanced accuracy", percent(metrics.balanced_accuracy)},
                           {"macro F1", number(metrics.macro_f1)},
                           {"weighted F1", number(metrics.weighted.f1)},
                           {"Matthews correlation", number(metrics.matthews)},
                           {"macro ROC-AUC", number(metrics.macro_roc_auc)},
                           {"macro PR-AUC", number(metrics.macro_average_precision)},
                           {"log loss", number(metrics.log_loss)},
                           {"Brier score", number(metrics.brier)},
                           {"calibration error (ECE)", number(metrics.calibration.expected_error)}});
  add_selective(report, list);
  if (report.singles) list.emplace_back("one image at a time", milliseconds(*report.singles));
  if (report.batches)
    list.emplace_back(fmt::format("batches of {}", report.batches->images_per_call), milliseconds(*report.batches));
  return list;
}

std::string confidence_in_words(const Report& report) {
  std::vector<std::pair<std::string, std::string>> list;
  add_selective(report, list);
  std::string text;
  for (const auto& [name, value] : list) text += fmt::format("{}: {}\n", name, value);
  return text;
}

std::string weakness(const Report& report) {
  // A slice stands out when even the upper end of its interval is below the whole's accuracy.
  const auto worst = std::ranges::find_if(
      report.slices, [&](const Slice& slice) { return slice.interval.high < report.metrics.accuracy; });
  if (worst == report.slices.end()) return "";
  return fmt::format("Weakest where {} is {}: {} of {} images.", worst->column, worst->value,
                     with_interval(worst->accuracy, worst->interval), worst->n);
}

std::string to_markdown(const Report& report) {
  std::string out = fmt::format("# {} on {}, {} split\n\nMeasured {} through {}, {} images. {}\n\n",
                                cell(report.name()), cell(report.dataset), data::to_string(report.split),
                                report.measured_at, report.through(), report.metrics.n, cell(weakness(report)));
  if (!report.note.empty()) out += cell(report.note) + ".\n\n";
  out += head({"figure", "value"}, 2);
  for (const auto& [name, value] : figures(report)) out += row({name, value});
  out += "\n## Classes\n\n" + classes_table(report.metrics);
  out += "\n## Confusion matrix\n\n" + confusion_table(report.metrics);
  if (report.coverage.n > 0) out += "\n## Answering only what it is sure of\n\n" + coverage_table(report.coverage);
  if (!report.slices.empty()) out += "\n## Slices, worst first\n\n" + slices_table(report.slices);
  out += "\n## Wrong, and sure of it\n\n" + errors_table(report);
  if (const auto mean = mean_faithfulness(report.looked_at))
    out += fmt::format(
        "\nGrad-CAM of {} of them: mean area under deletion {:.3f} (low is good), insertion {:.3f} (high).\n",
        report.looked_at.size(), mean->deletion, mean->insertion);
  out += fmt::format("\n## Where it comes from\n\n```json\n{}\n```\n", json::dump_pretty(report.lineage));
  return out;
}

}  // namespace imago::evaluate
