// SPDX-License-Identifier: Apache-2.0
#include "evaluate/report.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

namespace imago::evaluate {
namespace {

constexpr std::size_t kSlicesInMarkdown = 15;
constexpr std::size_t kMostMatrixClasses = 30;
constexpr std::size_t kConfusionsInMarkdown = 30;
/// Of more classes a line of predictions.jsonl has the likeliest alone: it would be longer than the image.
constexpr std::size_t kMostProbabilities = 100;
constexpr std::size_t kLikeliest = 10;

std::string percent(double share) { return fmt::format("{:.2f} %", 100.0 * share); }

std::string with_interval(double share, const Interval& interval) {
  return fmt::format("{} ({:.2f} to {:.2f})", percent(share), 100.0 * interval.low, 100.0 * interval.high);
}

std::string number(const std::optional<double>& value) { return value ? fmt::format("{:.4f}", *value) : "-"; }

std::string milliseconds(const Latency& latency) {
  return fmt::format("p50 {:.2f} ms, p99 {:.2f} ms, {:.0f} images/s", latency.p50_ms, latency.p99_ms,
                     latency.images_per_second);
}

json::Value error_json(const Report& report, const Answer& answer) {
  return {{"path", report.entry(answer).path},
          {"truth", report.label(answer.truth)},
          {"prediction", report.label(answer.predicted)},
          {"confidence", answer.confidence},
          {"truth_probability", answer.truth_probability}};
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
  std::string out = head({"image", "truth", "prediction", "confidence"}, 3);
  for (const std::size_t i : worst_errors(report.answers, kWorstErrors)) {
    const Answer& answer = report.answers[i];
    out += row({cell(report.entry(answer).path), cell(report.label(answer.truth)), cell(report.label(answer.predicted)),
                percent(answer.confidence)});
  }
  return out;
}

json::Value probabilities_json(const Report& report, const std::vector<double>& probabilities) {
  if (probabilities.size() <= kMostProbabilities) return {{"probabilities", probabilities}};
  std::vector<std::size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::partial_sort(order, order.begin() + kLikeliest, std::greater<>(),
                            [&](std::size_t i) { return probabilities[i]; });
  json::Value likeliest = json::Value::object();
  for (std::size_t k = 0; k < kLikeliest; ++k)
    likeliest[report.label(static_cast<int>(order[k]))] = probabilities[order[k]];
  return {{"likeliest", std::move(likeliest)}};
}

}  // namespace

std::string Report::name() const { return fmt::format("{}:{}", model, version); }

json::Value metrics_json(const Report& report) {
  json::Value value = to_json(report.metrics);
  value["model"] = report.model;
  value["version"] = report.version;
  value["dataset"] = report.dataset;
  value["split"] = data::to_string(report.split);
  if (!report.views.empty()) value["accuracy_by_views"] = report.views;
  return value;
}

json::Value to_json(const Report& report) {
  json::Value value = metrics_json(report);
  value["digest"] = report.digest;
  value["via"] = report.via;
  value["measured_at"] = report.measured_at;
  value["temperature"] = report.temperature;
  value["latency"] = {{"batches", report.batches ? to_json(*report.batches) : json::Value()},
                      {"single_images", report.singles ? to_json(*report.singles) : json::Value()}};
  value["slices"] = to_json(report.slices);
  value["worst_errors"] = json::Value::array();
  for (const std::size_t i : worst_errors(report.answers, kWorstErrors))
    value["worst_errors"].push_back(error_json(report, report.answers[i]));
  value["lineage"] = report.lineage;
  return value;
}

std::string predictions_jsonl(const Report& report, const model::Logits& logits) {
  EXPECTS(report.answers.size() == static_cast<std::size_t>(logits.n), "a row an answer");
  std::string out;
  for (std::size_t i = 0; i < report.answers.size(); ++i) {
    const Answer& answer = report.answers[i];
    json::Value line{{"path", report.entry(answer).path},
                     {"truth", report.label(answer.truth)},
                     {"prediction", report.label(answer.predicted)},
                     {"confidence", answer.confidence}};
    line.update(probabilities_json(report, model::softmax(logits.row(static_cast<int>(i)), report.temperature)));
    out += json::dump(line);
    out += '\n';
  }
  return out;
}

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
  if (report.singles) list.emplace_back("one image at a time", milliseconds(*report.singles));
  if (report.batches)
    list.emplace_back(fmt::format("batches of {}", report.batches->images_per_call), milliseconds(*report.batches));
  return list;
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
  std::string out = fmt::format("# {} on {}, {} split\n\nMeasured {} through the {}, {} images. {}\n\n",
                                cell(report.name()), cell(report.dataset), data::to_string(report.split),
                                report.measured_at, report.via == "package" ? "package" : "server " + report.via,
                                report.metrics.n, cell(weakness(report)));
  out += head({"figure", "value"}, 2);
  for (const auto& [name, value] : figures(report)) out += row({name, value});
  out += "\n## Classes\n\n" + classes_table(report.metrics);
  out += "\n## Confusion matrix\n\n" + confusion_table(report.metrics);
  if (!report.slices.empty()) out += "\n## Slices, worst first\n\n" + slices_table(report.slices);
  out += "\n## Wrong, and sure of it\n\n" + errors_table(report);
  out += fmt::format("\n## Where it comes from\n\n```json\n{}\n```\n", json::dump_pretty(report.lineage));
  return out;
}

}  // namespace imago::evaluate
