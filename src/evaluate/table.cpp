// SPDX-License-Identifier: Apache-2.0
// Metrics for the terminal.
#include <algorithm>

#include "evaluate/metrics.hpp"

namespace imago::evaluate {
namespace {

constexpr std::size_t kHead = 6;               // characters of a label above a column of the matrix
constexpr std::size_t kMaxMatrixClasses = 20;  // more do not fit a line

using Row = std::vector<std::string>;

/// Code points, not bytes: labels may be in any language.
std::size_t length(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

/// The first `most` code points.
std::string_view shortened(std::string_view text, std::size_t most) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
    if (starts && seen++ == most) return text.substr(0, i);
  }
  return text;
}

/// The first column to the left, the others to the right, two spaces between.
std::string aligned(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], length(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string gap(widths[i] - length(row[i]), ' ');
      text += i == 0 ? row[i] + gap : "  " + gap + row[i];
    }
    text += '\n';
  }
  return text;
}

std::string class_table(const Metrics& metrics) {
  std::vector<Row> rows{{"class", "precision", "recall", "f1", "images"}};
  for (const auto& one : metrics.classes)
    rows.push_back({one.label, fmt::format("{:.4f}", one.precision), fmt::format("{:.4f}", one.recall),
                    fmt::format("{:.4f}", one.f1), fmt::format("{}", one.support)});
  return aligned(rows);
}

std::string confusion_table(const Metrics& metrics) {
  std::vector<Row> rows{{"true \\ predicted"}};
  for (const auto& one : metrics.classes) rows[0].emplace_back(shortened(one.label, kHead));
  for (std::size_t truth = 0; truth < metrics.classes.size(); ++truth) {
    Row row{metrics.classes[truth].label};
    for (const auto count : metrics.confusion[truth]) row.push_back(fmt::format("{}", count));
    rows.push_back(std::move(row));
  }
  return aligned(rows);
}

}  // namespace

std::string format_table(const Metrics& metrics) {
  std::string text = fmt::format(
      "accuracy {:.2f} % (95 % interval {:.2f} to {:.2f}) on {} images, log loss {:.4f}\n"
      "macro precision {:.4f}, recall {:.4f}, F1 {:.4f}\n\n",
      100 * metrics.accuracy, 100 * metrics.accuracy_interval.low, 100 * metrics.accuracy_interval.high, metrics.n,
      metrics.log_loss, metrics.macro_precision, metrics.macro_recall, metrics.macro_f1);
  text += class_table(metrics);
  if (metrics.classes.size() > kMaxMatrixClasses)
    return text + fmt::format("\n(the confusion matrix of {} classes is in the JSON)\n", metrics.classes.size());
  return text + "\n" + confusion_table(metrics);
}

}  // namespace imago::evaluate
