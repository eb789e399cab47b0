// SPDX-License-Identifier: Apache-2.0
#include "data/check_duplicates.hpp"

#include <algorithm>
#include <set>

#include "data/near_copies.hpp"

namespace imago::data {
namespace {

/// Images that are, or look like, one.
struct Group {
  std::vector<std::size_t> entries;
  std::string note;
  double likeness = 1.0;  ///< of its least alike pair
};

/// For a leak: test images first, then validation, then training.
void put_measured_first(const Manifest& manifest, std::vector<std::size_t>& entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [&](std::size_t a, std::size_t b) { return manifest.entries[a].split > manifest.entries[b].split; });
}

template <class Of>
std::size_t different(const std::vector<std::size_t>& entries, const Of& of) {
  std::set<int> values;
  for (const std::size_t i : entries) values.insert(of(i));
  return values.size();
}

/// How bad a leak is: 0 test and training, 1 test and validation, 2 validation and training.
int rank(const Manifest& manifest, const Group& group) {
  std::array<bool, 3> has{};
  for (const std::size_t i : group.entries) has[static_cast<std::size_t>(manifest.entries[i].split)] = true;
  const auto in = [&](Split split) { return has[static_cast<std::size_t>(split)]; };
  return in(Split::Test) ? (in(Split::Train) ? 0 : 1) : 2;
}

std::vector<Group> exact_groups(const std::vector<ImageFacts>& contents) {
  std::vector<Group> groups;
  for (const auto& content : contents) {
    if (content.entries.size() > 1) groups.push_back({content.entries, "same bytes"});
  }
  return groups;
}

Result<std::vector<Group>> near_groups(const std::vector<ImageFacts>& contents, const OnCheck& on_progress,
                                       const std::atomic<bool>* stop) {
  std::vector<const ImageFacts*> compared;
  std::vector<const Fingerprint*> prints;
  for (const auto& content : contents) {
    if (!content.damage.empty()) continue;
    compared.push_back(&content);
    prints.push_back(&content.print);
  }
  const auto found = group_near_copies(prints, [&](std::size_t done, std::size_t total) {
    if (on_progress) on_progress("comparing", done, total);
    return stop == nullptr || !*stop;
  });
  if (stop != nullptr && *stop) return fail(ErrorCode::Cancelled, "stopped before all images were compared");

  std::vector<Group> groups;
  for (const auto& near : found) {
    Group group{.entries = {},
                .note = fmt::format("{} of 64 bits differ, correlation {:.2f}", near.distance, near.similarity),
                .likeness = near.similarity};
    for (const auto i : near.images)
      group.entries.insert(group.entries.end(), compared[i]->entries.begin(), compared[i]->entries.end());
    groups.push_back(std::move(group));
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Group& a, const Group& b) { return a.likeness > b.likeness; });
  return groups;
}

Finding leaks(const Manifest& manifest, std::vector<Group> groups, bool exact) {
  std::erase_if(groups, [&](const Group& group) {
    return different(group.entries, [&](std::size_t i) { return static_cast<int>(manifest.entries[i].split); }) < 2;
  });
  std::stable_sort(groups.begin(), groups.end(),
                   [&](const Group& a, const Group& b) { return rank(manifest, a) < rank(manifest, b); });
  Finding finding{.check = exact ? "leak_exact" : "leak_near", .severity = exact ? Severity::Bad : Severity::Poor};
  std::size_t test = 0;
  for (auto& group : groups) {
    put_measured_first(manifest, group.entries);
    for (const std::size_t i : group.entries) {
      if (manifest.entries[i].split != Split::Train) ++finding.count;
      if (manifest.entries[i].split == Split::Test && rank(manifest, group) == 0) ++test;
    }
    finding.items.push_back({std::move(group.entries), std::move(group.note)});
  }
  finding.message = fmt::format(
      "{} images outside the training split {} in another split too, {} of them test images that training sees",
      finding.count, exact ? "are, byte for byte," : "have a near copy", test);
  return finding;
}

Finding label_conflicts(const Manifest& manifest, const std::vector<Group>& exact, const std::vector<Group>& near) {
  Finding finding{.check = "label_conflict", .severity = Severity::Bad};
  std::set<std::size_t> concerned;
  for (const auto* groups : {&exact, &near}) {
    for (const auto& group : *groups) {
      if (different(group.entries, [&](std::size_t i) { return manifest.entries[i].label; }) < 2) continue;
      if (std::all_of(group.entries.begin(), group.entries.end(), [&](std::size_t i) { return concerned.contains(i); }))
        continue;
      concerned.insert(group.entries.begin(), group.entries.end());
      finding.items.push_back({group.entries, group.note});
    }
  }
  finding.count = concerned.size();
  finding.message = fmt::format("{} images are copies, or near copies, of one with another label", finding.count);
  return finding;
}

/// All copies, in one split or several.
Finding copies(const std::vector<Group>& groups, bool exact) {
  Finding finding{.check = exact ? "duplicate_exact" : "duplicate_near",
                  .severity = exact ? Severity::Poor : Severity::Note};
  for (const auto& group : groups) {
    finding.count += group.entries.size();
    finding.items.push_back({group.entries, group.note});
  }
  std::stable_sort(finding.items.begin(), finding.items.end(),
                   [](const FindingItem& a, const FindingItem& b) { return a.entries.size() > b.entries.size(); });
  finding.message = fmt::format("{} images in {} groups {}", finding.count, groups.size(),
                                exact ? "have the same bytes" : "look the same");
  return finding;
}

}  // namespace

Result<std::vector<Finding>> find_copies(const Manifest& manifest, const std::vector<ImageFacts>& contents,
                                         const OnCheck& on_progress, const std::atomic<bool>* stop) {
  const auto exact = exact_groups(contents);
  TRY(const auto near, near_groups(contents, on_progress, stop));
  return std::vector<Finding>{leaks(manifest, exact, true), leaks(manifest, near, false),
                              label_conflicts(manifest, exact, near), copies(exact, true), copies(near, false)};
}

}  // namespace imago::data
