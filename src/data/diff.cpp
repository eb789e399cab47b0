// SPDX-License-Identifier: Apache-2.0
#include "data/diff.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace imago::data {
namespace {

using Copies = std::vector<DiffImage>;

std::map<std::string, Copies> by_content(const Manifest& manifest) {
  std::map<std::string, Copies> contents;
  for (const auto& entry : manifest.entries)
    contents[entry.sha256].push_back(
        {entry.path, entry.sha256, manifest.labels[static_cast<std::size_t>(entry.label)], entry.split});
  return contents;
}

/// Puts copies whose path both sides have first, in the same order on both.
void align(Copies& before, Copies& after) {
  const auto paths = [](const Copies& copies) {
    std::set<std::string> found;
    for (const auto& copy : copies) found.insert(copy.path);
    return found;
  };
  const auto in_before = paths(before), in_after = paths(after);
  const auto first = [](const std::set<std::string>& others) {
    return [&others](const DiffImage& image) { return others.contains(image.path); };
  };
  std::stable_partition(before.begin(), before.end(), first(in_after));
  std::stable_partition(after.begin(), after.end(), first(in_before));
}

void compare(const DiffImage& before, const DiffImage& after, DatasetDiff& diff) {
  if (before.label != after.label) diff.relabelled.push_back({before, after});
  if (before.split != after.split) diff.moved.push_back({before, after});
  if (before.label == after.label && before.split == after.split) ++diff.unchanged;
}

}  // namespace

DatasetDiff diff_datasets(const Manifest& before, const Manifest& after) {
  auto old_contents = by_content(before);
  auto new_contents = by_content(after);
  DatasetDiff diff;
  for (auto& [digest, copies] : old_contents) {
    auto& others = new_contents[digest];
    align(copies, others);
    const auto both = std::min(copies.size(), others.size());
    for (std::size_t i = 0; i < both; ++i) compare(copies[i], others[i], diff);
    diff.removed.insert(diff.removed.end(), copies.begin() + static_cast<std::ptrdiff_t>(both), copies.end());
    others.erase(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(both));
  }
  for (const auto& [digest, rest] : new_contents) diff.added.insert(diff.added.end(), rest.begin(), rest.end());
  const auto by_path = [](const DiffImage& a, const DiffImage& b) { return a.path < b.path; };
  const auto by_new_path = [](const DiffChange& a, const DiffChange& b) { return a.after.path < b.after.path; };
  std::sort(diff.added.begin(), diff.added.end(), by_path);
  std::sort(diff.removed.begin(), diff.removed.end(), by_path);
  std::sort(diff.relabelled.begin(), diff.relabelled.end(), by_new_path);
  std::sort(diff.moved.begin(), diff.moved.end(), by_new_path);
  return diff;
}

}  // namespace imago::data
