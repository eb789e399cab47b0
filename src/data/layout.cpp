// SPDX-License-Identifier: Apache-2.0
#include "data/layout.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace imago::data {
namespace {

std::string_view first_part(std::string_view path) { return path.substr(0, path.find('/')); }
std::string_view after_first(std::string_view path) {
  const auto slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
}
std::size_t parts(std::string_view path) {
  return 1 + static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
}

std::optional<Split> split_folder(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (lower == "train" || lower == "training") return Split::Train;
  if (lower == "val" || lower == "valid" || lower == "validation") return Split::Validation;
  if (lower == "test" || lower == "testing") return Split::Test;
  return std::nullopt;
}

/// The folder that all lies in, with its slash, when it says nothing ("cifar10/train/cat/1.jpg"); or nothing.
std::string enclosing(const Manifest& manifest, const std::set<std::string>& folders) {
  std::string prefix;
  for (;;) {
    const std::string_view name = first_part(std::string_view(manifest.entries.front().path).substr(prefix.size()));
    if (split_folder(name)) return prefix;
    const std::string longer = prefix + std::string(name) + "/";
    const bool says_nothing =
        std::all_of(
            manifest.entries.begin(), manifest.entries.end(),
            [&](const Entry& e) { return e.path.starts_with(longer) && parts(e.path.substr(longer.size())) >= 2; }) &&
        std::all_of(folders.begin(), folders.end(), [&](const std::string& folder) {
          return folder.starts_with(longer) || longer.starts_with(folder + "/");
        });
    if (!says_nothing) return prefix;
    prefix = longer;
  }
}

/// True for train/CLASS/... beside test/CLASS/...; a class named "train" has its images right inside.
bool has_split_folders(const Manifest& manifest) {
  bool deep = false;
  for (const auto& entry : manifest.entries) {
    if (split_folder(first_part(entry.path)) != Split::Train) continue;
    if (parts(entry.path) < 3) return false;
    deep = true;
  }
  return deep;
}

struct Place {
  Split split = Split::Train;
  std::string label;
};

/// Where a path of `depth_of_file` parts at least belongs; nothing when in no class folder.
std::optional<Place> place_of(std::string_view path, bool split_folders) {
  Place place;
  if (split_folders) {
    const auto split = split_folder(first_part(path));
    if (!split) return std::nullopt;
    place.split = *split;
    path = after_first(path);
  }
  if (parts(path) < 2) return std::nullopt;
  place.label = first_part(path);
  return place;
}

void strip(Manifest& manifest, const std::string& prefix) {
  for (auto& entry : manifest.entries) entry.path.erase(0, prefix.size());
}

using Placed = std::map<std::string, std::set<Split>>;  // label -> the splits that have an image of it

/// Labels and splits; entries without a place go.
Placed place_all(Manifest& manifest, bool split_folders, const std::string& prefix, std::vector<Refusal>& refused,
                 std::vector<std::string>& label_of) {
  Placed placed;
  std::vector<Entry> kept;
  for (auto& entry : manifest.entries) {
    auto place = place_of(entry.path, split_folders);
    if (!place) {
      refused.push_back({prefix + entry.path, split_folders ? "not in train/CLASS/, validation/CLASS/ or test/CLASS/"
                                                            : "not in a class folder"});
      continue;
    }
    entry.split = place->split;
    placed[place->label].insert(place->split);
    label_of.push_back(std::move(place->label));
    kept.push_back(std::move(entry));
  }
  manifest.entries = std::move(kept);
  return placed;
}

/// A class folder without an image is most likely a mistake, and a class without training images cannot be learned.
Result<void> check_classes(const Placed& placed, const std::set<std::string>& folders, const std::string& prefix,
                           bool split_folders) {
  for (const auto& folder : folders) {
    if (!folder.starts_with(prefix) || folder.size() <= prefix.size()) continue;
    const auto place = place_of(folder.substr(prefix.size()) + "/image", split_folders);
    const bool is_class = place && parts(folder.substr(prefix.size())) == (split_folders ? 2U : 1U);
    if (!is_class) continue;
    const auto found = placed.find(place->label);
    if (found == placed.end() || !found->second.contains(place->split))
      return fail(ErrorCode::InvalidArgument, "class folder '{}' has no image that can be read: fill it or remove it",
                  folder);
  }
  for (const auto& [label, splits] : placed)
    if (!splits.contains(Split::Train))
      return fail(ErrorCode::InvalidArgument, "class '{}' has no training image", label);
  if (placed.size() < 2)
    return fail(ErrorCode::InvalidArgument,
                "{}, but a classifier needs at least two: expected CLASS/IMAGE or train/CLASS/IMAGE",
                placed.empty() ? std::string("no class folder with images")
                               : fmt::format("only one class, '{}'", placed.begin()->first));
  return {};
}

}  // namespace

Result<void> lay_out(Manifest& manifest, const std::set<std::string>& folders, std::vector<Refusal>& refused) {
  if (manifest.entries.empty()) return fail(ErrorCode::InvalidArgument, "no image that can be read in it");
  const std::string prefix = enclosing(manifest, folders);
  strip(manifest, prefix);
  const bool split_folders = has_split_folders(manifest);
  std::vector<std::string> label_of;
  const auto placed = place_all(manifest, split_folders, prefix, refused, label_of);
  TRY_VOID(check_classes(placed, folders, prefix, split_folders));
  manifest.labels.clear();
  for (const auto& [label, splits] : placed) manifest.labels.push_back(label);
  for (std::size_t i = 0; i < manifest.entries.size(); ++i)
    manifest.entries[i].label = static_cast<int>(
        std::lower_bound(manifest.labels.begin(), manifest.labels.end(), label_of[i]) - manifest.labels.begin());
  return {};
}

}  // namespace imago::data
