// SPDX-License-Identifier: Apache-2.0
#include "evaluate/slices.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

namespace imago::evaluate {
namespace {

constexpr std::size_t kMostPlainNumbers = 6;
constexpr std::size_t kParts = 5;
constexpr std::size_t kMostTexts = 100;
constexpr const char* kOthers = "(others)";

double brightness(std::span<const std::uint8_t> rgb) {
  std::array<std::uint64_t, 3> sums{};
  for (std::size_t i = 0; i < rgb.size(); i += 3) {
    for (std::size_t c = 0; c < 3; ++c) sums[c] += rgb[i + c];
  }
  const double luma = 0.299 * static_cast<double>(sums[0]) + 0.587 * static_cast<double>(sums[1]) +
                      0.114 * static_cast<double>(sums[2]);
  return luma / (static_cast<double>(rgb.size()) / 3.0);
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

/// Where each part ends: the largest number in it. Equal numbers stay together, so parts may differ in size.
std::vector<double> part_ends(std::vector<double> numbers) {
  std::ranges::sort(numbers);
  std::vector<double> distinct = numbers;
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  if (distinct.size() <= kMostPlainNumbers) return distinct;
  std::vector<double> ends;
  for (std::size_t part = 1; part <= kParts; ++part) {
    const double end = numbers[(part * numbers.size() - 1) / kParts];
    if (ends.empty() || end > ends.back()) ends.push_back(end);
  }
  return ends;
}

Column class_column(const data::PackedSplit& split, const data::Manifest& manifest) {
  return {.name = "class",
          .values = manifest.labels,
          .value_of = std::vector<int>(split.labels().begin(), split.labels().end())};
}

template <class Take>
auto of_each(const data::PackedSplit& split, const Take& take) {
  std::vector<decltype(take(std::size_t{0}))> values;
  values.reserve(split.size());
  for (std::size_t i = 0; i < split.size(); ++i) values.push_back(take(i));
  return values;
}

}  // namespace

std::vector<std::string> slice_columns() {
  return {"class", "brightness", "size", "aspect", "width", "height", "source", "folder"};
}

Column number_column(const std::string& name, std::span<const double> numbers, int decimals, const std::string& unit) {
  EXPECTS(!numbers.empty(), "numbers of some image");
  const auto ends = part_ends({numbers.begin(), numbers.end()});
  Column column{.name = name, .values = {}, .value_of = {}};
  std::vector<double> starts(ends.size(), std::numeric_limits<double>::infinity());
  for (const double number : numbers) {
    const auto part = static_cast<std::size_t>(std::ranges::lower_bound(ends, number) - ends.begin());
    starts[part] = std::min(starts[part], number);
    column.value_of.push_back(static_cast<int>(part));
  }
  for (std::size_t part = 0; part < ends.size(); ++part) {
    const std::string from = fmt::format("{:.{}f}", starts[part], decimals);
    const std::string to = fmt::format("{:.{}f}", ends[part], decimals);
    column.values.push_back((from == to ? to : from + " to " + to) + unit);
  }
  return column;
}

Column text_column(const std::string& name, const std::vector<std::string>& texts) {
  std::map<std::string, std::size_t> counts;
  for (const auto& text : texts) ++counts[text];
  std::vector<std::string> kept;
  for (const auto& [text, count] : counts) kept.push_back(text);
  if (kept.size() > kMostTexts) {
    std::ranges::stable_sort(kept, std::greater<>(), [&](const std::string& text) { return counts[text]; });
    kept.resize(kMostTexts);
    std::ranges::sort(kept);
    kept.emplace_back(kOthers);
  }
  std::map<std::string, int> index;
  for (const auto& text : kept) index.emplace(text, static_cast<int>(index.size()));
  Column column{.name = name, .values = kept, .value_of = {}};
  for (const auto& text : texts) {
    const auto found = index.find(text);
    column.value_of.push_back(found == index.end() ? static_cast<int>(kept.size()) - 1 : found->second);
  }
  return column;
}

Result<Column> split_column(const std::string& name, const data::PackedSplit& split, const data::Manifest& manifest) {
  const auto entry = [&](std::size_t i) -> const data::Entry& { return manifest.entries[split.entry(i)]; };
  const auto numbers = [&](const auto& take, int decimals, const char* unit = "") {
    return number_column(name, of_each(split, [&](std::size_t i) { return static_cast<double>(take(i)); }), decimals,
                         unit);
  };
  if (name == "class") return class_column(split, manifest);
  if (name == "brightness") return numbers([&](std::size_t i) { return brightness(split.image(i)); }, 1);
  if (name == "width") return numbers([&](std::size_t i) { return entry(i).width; }, 0, " px");
  if (name == "height") return numbers([&](std::size_t i) { return entry(i).height; }, 0, " px");
  if (name == "size") {
    return numbers([&](std::size_t i) { return static_cast<double>(entry(i).width) * entry(i).height; }, 0, " px");
  }
  if (name == "aspect") {
    return numbers([&](std::size_t i) { return static_cast<double>(entry(i).width) / std::max(1, entry(i).height); },
                   2);
  }
  if (name == "source") return text_column(name, of_each(split, [&](std::size_t i) { return entry(i).source; }));
  if (name == "folder")
    return text_column(name, of_each(split, [&](std::size_t i) { return folder_of(entry(i).path); }));
  return fail(ErrorCode::InvalidArgument, "no column '{}' to slice by: there are {}", name,
              fmt::join(slice_columns(), ", "));
}

std::vector<Slice> measure_slices(std::span<const Column> columns, std::span<const Answer> answers) {
  std::vector<Slice> slices;
  for (const Column& column : columns) {
    EXPECTS(column.value_of.size() == answers.size(), "a value an answer");
    std::vector<Slice> parts;
    for (const auto& value : column.values) parts.push_back({.column = column.name, .value = value, .interval = {}});
    for (std::size_t i = 0; i < answers.size(); ++i) {
      Slice& part = parts[static_cast<std::size_t>(column.value_of[i])];
      ++part.n;
      part.correct += answers[i].right() ? 1 : 0;
    }
    std::erase_if(parts, [](const Slice& part) { return part.n == 0; });
    if (parts.size() > 1) slices.insert(slices.end(), parts.begin(), parts.end());
  }
  for (Slice& slice : slices) {
    slice.accuracy = static_cast<double>(slice.correct) / static_cast<double>(slice.n);
    slice.interval = wilson_interval(slice.correct, slice.n);
  }
  std::ranges::stable_sort(slices, {}, [](const Slice& slice) { return slice.interval.high; });
  return slices;
}

json::Value to_json(std::span<const Slice> slices) {
  json::Value value = json::Value::array();
  for (const Slice& slice : slices) {
    value.push_back({{"column", slice.column},
                     {"value", slice.value},
                     {"n", slice.n},
                     {"correct", slice.correct},
                     {"accuracy", slice.accuracy},
                     {"interval", to_json(slice.interval)}});
  }
  return value;
}

}  // namespace imago::evaluate
