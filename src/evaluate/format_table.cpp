// SPDX-License-Identifier: Apache-2.0
// Metrics as tables for the terminal.
#include <algorithm>
#include <set>

#include "evaluate/metrics.hpp"

namespace imago::evaluate {
namespace {

constexpr std::size_t kMostMatrixClasses = 20;  // more columns than a terminal has
constexpr std::size_t kMostHead = 10;

/// The length of the text in code points, which is close enough to columns for labels.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string_view head(std::string_view text, std::size_t most) {
  std::size_t end = 0;
  for (std::size_t seen = 0; end < text.size(); ++end) {
    const bool starts = (static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80U;
    if (starts && ++seen > most) break;
  }
  return text.substr(0, end);
}

// fmt pads by columns as well, but counts bytes that are no UTF-8 differently from here.
std::string left(std::string_view text, std::size_t width) {
  const std::size_t used = columns(text);
  return std::string(text) + std::string(width > used ? width - used : 0, ' ');
}
std::string right(std::string_view text, std::size_t width) {
  const std::size_t used = columns(text);
  return std::string(width > used ? width - used : 0, ' ') + std::string(text);
}

/// The shortest heads, of three letters or more, that tell the labels apart: "automobile" and "automatic" need six.
std::vector<std::string> short_heads(const std::vector<ClassMetrics>& classes) {
  for (std::size_t length = 3;; ++length) {
    std::vector<std::string> heads;
    for (const ClassMetrics& one : classes) heads.emplace_back(head(one.label, length));
    const bool distinct = std::set<std::string>(heads.begin(), heads.end()).size() == heads.size();
    if (distinct || length >= kMostHead) return heads;
  }
}

std::size_t widest_label(const Metrics& metrics) {
  std::size_t widest = columns("macro average");
  for (const ClassMetrics& one : metrics.classes) widest = std::max(widest, columns(one.label));
  return widest;
}

std::string area(const char* name, const std::optional<double>& value) {
  return value ? fmt::format("{:<10} {:.4f}\n", name, *value) : "";
}

std::string summary(const Metrics& metrics) {
  std::string out =
      fmt::format("accuracy   {:.2f} % of {} images (95 % interval {:.2f} to {:.2f} %)\n", 100 * metrics.accuracy,
                  metrics.n, 100 * metrics.accuracy_interval.low, 100 * metrics.accuracy_interval.high);
  for (const TopK& one : metrics.top_k) out += fmt::format("top {}      {:.2f} %\n", one.k, 100 * one.accuracy);
  out += fmt::format("balanced   {:.2f} %\nMatthews   {:.4f}\n", 100 * metrics.balanced_accuracy, metrics.matthews);
  out += area("ROC-AUC", metrics.macro_roc_auc) + area("PR-AUC", metrics.macro_average_precision);
  return out + fmt::format("log loss   {:.4f}\nBrier      {:.4f}\nECE        {:.4f}\n", metrics.log_loss, metrics.brier,
                           metrics.calibration.expected_error);
}

std::string class_table(const Metrics& metrics) {
  const std::size_t width = widest_label(metrics);
  std::string out = fmt::format("{}  precision  recall      f1  images\n", left("class", width));
  for (const ClassMetrics& one : metrics.classes) {
    out += fmt::format("{}  {:9.4f}  {:6.4f}  {:6.4f}  {:6}\n", left(one.label, width), one.precision, one.recall,
                       one.f1, one.support);
  }
  out += fmt::format("{}  {:9.4f}  {:6.4f}  {:6.4f}  {:6}\n", left("macro average", width), metrics.macro_precision,
                     metrics.macro_recall, metrics.macro_f1, metrics.n);
  out += fmt::format("{}  {:9.4f}  {:6.4f}  {:6.4f}  {:6}\n", left("weighted", width), metrics.weighted.precision,
                     metrics.weighted.recall, metrics.weighted.f1, metrics.n);
  return out;
}

std::string confusion_table(const Metrics& metrics) {
  const auto heads = short_heads(metrics.classes);
  std::size_t cell = 3;
  for (const std::string& text : heads) cell = std::max(cell, columns(text));
  for (const auto& row : metrics.confusion) {
    for (const std::int64_t count : row) cell = std::max(cell, fmt::formatted_size("{}", count));
  }
  const std::size_t width = widest_label(metrics);
  std::string out = left("truth \\ said", width);
  for (const std::string& text : heads) out += " " + right(text, cell);
  out += '\n';
  for (std::size_t k = 0; k < metrics.classes.size(); ++k) {
    out += left(metrics.classes[k].label, width);
    for (const std::int64_t count : metrics.confusion[k]) {
      out += " " + right(count == 0 ? "." : fmt::format("{}", count), cell);
    }
    out += '\n';
  }
  return out;
}

/// The confusions that happen most, where the whole matrix is too wide to read.
std::string worst_confusions(const Metrics& metrics) {
  std::string out = "most frequent confusions\n";
  for (const Confusion& one : frequent_confusions(metrics, 10)) {
    out += fmt::format("{:6}  {} taken for {}\n", one.n, metrics.classes[static_cast<std::size_t>(one.truth)].label,
                       metrics.classes[static_cast<std::size_t>(one.said)].label);
  }
  return out;
}

}  // namespace

std::string format_table(const Metrics& metrics) {
  const bool readable = metrics.classes.size() <= kMostMatrixClasses;
  return summary(metrics) + "\n" + class_table(metrics) + "\n" +
         (readable ? confusion_table(metrics) : worst_confusions(metrics));
}

}  // namespace imago::evaluate
