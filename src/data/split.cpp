// SPDX-License-Identifier: Apache-2.0
#include "data/split.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "base/rng.hpp"

namespace imago::data {
namespace {

bool any(const std::vector<Entry>& entries, Split split) {
  return std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.split == split; });
}

/// What goes one way: contents by the number of the first of them.
class Units {
 public:
  explicit Units(const ClassContents& contents) : contents_(contents) {}

  void add(std::uint32_t content) {
    const auto group = group_of(content);
    auto& members = members_[group];
    if (group == 0 || members.empty()) order.push_back(content);
    if (group != 0) members.push_back(content);
  }

  [[nodiscard]] std::vector<std::uint32_t> members(std::uint32_t unit) const {
    const auto group = group_of(unit);
    return group == 0 ? std::vector{unit} : members_.at(group);
  }

  [[nodiscard]] std::uint32_t group_of(std::uint32_t content) const {
    return contents_.groups.empty() ? 0 : contents_.groups[content];
  }

  std::vector<std::uint32_t> order;

 private:
  const ClassContents& contents_;
  std::map<std::uint32_t, std::vector<std::uint32_t>> members_;
};

}  // namespace

std::vector<Split> Splitter::split(const ClassContents& contents) {
  const auto n = static_cast<std::uint32_t>(contents.copies.size());
  std::vector<Split> splits(n, Split::Train);
  Units units(contents);
  std::size_t images = 0;
  std::map<Split, std::size_t> taken;
  for (std::uint32_t i = 0; i < n; ++i) {
    images += contents.copies[i];
    const auto decided = units.group_of(i) == 0 ? decided_.end() : decided_.find(units.group_of(i));
    if (decided == decided_.end()) {
      units.add(i);
    } else {
      splits[i] = decided->second;
      taken[splits[i]] += contents.copies[i];
    }
  }
  auto rng = Rng::for_item(seed_, 0, static_cast<std::uint64_t>(contents.label));
  rng.shuffle(std::span(units.order));
  std::vector<std::uint32_t> left;
  const auto take = [&](double ratio, Split split) {
    const auto wanted = static_cast<std::size_t>(std::lround(static_cast<double>(images) * ratio));
    left.clear();
    while (taken[split] < wanted && units.order.size() + left.size() > 1 && !units.order.empty()) {
      const auto members = units.members(units.order.back());
      std::size_t size = 0;
      for (const auto i : members) size += contents.copies[i];
      if (members.size() > 1 && taken[split] + size > wanted) {
        left.push_back(units.order.back());
      } else {
        for (const auto i : members) splits[i] = split;
        taken[split] += size;
      }
      units.order.pop_back();
    }
    units.order.insert(units.order.end(), left.rbegin(), left.rend());
  };
  take(ratios_.test, Split::Test);
  take(ratios_.validation, Split::Validation);
  for (std::uint32_t i = 0; i < n; ++i)
    if (units.group_of(i) != 0) decided_.emplace(units.group_of(i), splits[i]);
  return splits;
}

void assign_splits(std::vector<Entry>& entries, const SplitRatios& ratios, std::uint64_t seed) {
  Splitter splitter({.validation = any(entries, Split::Validation) ? 0.0 : ratios.validation,
                     .test = any(entries, Split::Test) ? 0.0 : ratios.test},
                    seed);
  using Copies = std::vector<std::size_t>;               // entries with one content
  std::map<int, std::map<std::string, Copies>> classes;  // ordered, so that chance alone decides, by content
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries[i].split == Split::Train) classes[entries[i].label][entries[i].sha256].push_back(i);
  for (const auto& [label, by_content] : classes) {
    ClassContents contents{.label = label, .copies = {}, .groups = {}};
    for (const auto& [digest, copies] : by_content)
      contents.copies.push_back(static_cast<std::uint32_t>(copies.size()));
    const auto splits = splitter.split(contents);
    auto split = splits.begin();
    for (const auto& [digest, copies] : by_content) {
      for (const std::size_t i : copies) entries[i].split = *split;
      ++split;
    }
  }
}

}  // namespace imago::data
