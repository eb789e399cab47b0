// SPDX-License-Identifier: Apache-2.0
#include "app/slice_table.hpp"

#include <algorithm>

#include "app/table.hpp"

namespace imago::app {
namespace {

std::string percent(double share) { return fmt::format("{:.2f}", 100.0 * share); }

}  // namespace

std::string slice_table(const std::vector<evaluate::Slice>& slices, std::size_t most) {
  std::vector<std::vector<std::string>> rows{{"COLUMN", "VALUE", "ACCURACY %", "INTERVAL", "IMAGES"}};
  for (std::size_t i = 0; i < std::min(most, slices.size()); ++i) {
    const auto& slice = slices[i];
    rows.push_back({slice.column, slice.value, percent(slice.accuracy),
                    percent(slice.interval.low) + " to " + percent(slice.interval.high), std::to_string(slice.n)});
  }
  std::string text = format_columns(rows);
  if (slices.size() > most) text += fmt::format("and {} that are better\n", slices.size() - most);
  return text;
}

std::string change_table(const std::vector<evaluate::SliceChange>& changes, std::size_t most) {
  std::vector<std::vector<std::string>> rows{{"COLUMN", "VALUE", "A %", "B %", "POINTS", "P", "IMAGES", ""}};
  for (const auto& change : evaluate::head_of_each_column(changes, most)) {
    rows.push_back({change.column, change.value, percent(change.accuracy_a), percent(change.accuracy_b),
                    fmt::format("{:+.2f}", 100.0 * change.counts.difference()), fmt::format("{:.2g}", change.p),
                    std::to_string(change.counts.n()), change.significant ? "more than chance" : ""});
  }
  return rows.size() == 1 ? "" : format_columns(rows);
}

}  // namespace imago::app
