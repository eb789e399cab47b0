// SPDX-License-Identifier: Apache-2.0
#include "data/layout.hpp"

#include <algorithm>
#include <map>

namespace imago::data {
namespace {

std::string_view first_part(std::string_view path) { return path.substr(0, path.find('/')); }
std::string_view after_first(std::string_view path) {
  const auto slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
}
bool is_one_part(std::string_view path) { return !path.empty() && path.find('/') == std::string_view::npos; }

std::optional<Split> split_folder(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower == "test1" ? Split::Test : split_meant(lower);  // Kaggle's cats and dogs
}

/// Where images lie, without the enclosing folders.
struct Spot {
  std::string_view folder;
  Place* place;

  [[nodiscard]] bool has_name() const { return !place->name.empty(); }
  [[nodiscard]] bool in_split_folder() const { return split_folder(first_part(folder)).has_value(); }
  /// train/IMAGE
  [[nodiscard]] bool right_in_split_folder() const { return is_one_part(folder) && in_split_folder(); }
  /// train/CLASS/IMAGE
  [[nodiscard]] bool deep_in_split_folder() const { return !is_one_part(folder) && in_split_folder(); }
  [[nodiscard]] bool in_training() const { return split_folder(first_part(folder)) == Split::Train; }
};
using Spots = std::vector<Spot>;

template <class Test>
bool any(const Spots& spots, const Test& test) {
  return std::any_of(spots.begin(), spots.end(), test);
}
template <class Test>
bool all(const Spots& spots, const Test& test) {
  return std::all_of(spots.begin(), spots.end(), test);
}

/// The folders that all lies in, with a slash, when they say nothing ("cifar10/train/cat/1.jpg"); or nothing.
std::string enclosing(const Spots& spots, const std::set<std::string>& folders) {
  std::string prefix;
  for (;;) {
    const auto& first = spots.front().folder;
    if (first.size() <= prefix.size()) return prefix;
    const auto name = first_part(first.substr(prefix.size()));
    if (split_folder(name)) return prefix;
    const std::string longer = prefix + std::string(name) + "/";
    const auto further_in = [&](const Spot& spot) {
      return spot.folder.starts_with(longer) && spot.folder.size() > longer.size();
    };
    const bool says_nothing =
        all(spots, further_in) && std::all_of(folders.begin(), folders.end(), [&](const std::string& folder) {
          return folder.starts_with(longer) || longer.starts_with(folder + "/");
        });
    if (!says_nothing) return prefix;
    prefix = longer;
  }
}

/// A folder that holds all images, named by two classes or more: not a class itself.
bool is_folder_of_names(const Spots& spots) {
  const auto& [folder, place] = spots.front();
  std::set<std::string_view> names;
  for (const auto& spot : spots) names.insert(spot.place->name);
  return is_one_part(folder) && !spots.front().in_split_folder() && names.size() > 1 && !names.contains({}) &&
         all(spots, [&, first = folder](const Spot& spot) { return spot.folder == first; });
}

/// How the source tells classes.
struct Form {
  bool splits = false;  ///< the first folder is the split
  bool names = false;   ///< the file's name tells the class, not the next folder
};

/// An image whose name is a class, where another lies in a class folder: one of them is not meant.
Result<void> check_unmixed(const Spots& spots, bool splits) {
  for (const auto& spot : spots) {
    if (!spot.has_name() || !(spot.folder.empty() || (splits && spot.right_in_split_folder()))) continue;
    return fail(ErrorCode::InvalidArgument,
                "some images lie in class folders, but '{}{}{}.NUMBER' has its class in its name: use one form",
                spot.folder, spot.folder.empty() ? "" : "/", spot.place->name);
  }
  return {};
}

Result<Form> form_of(const Spots& spots) {
  const bool deep_training = any(spots, [](const Spot& s) { return s.in_training() && s.deep_in_split_folder(); });
  const bool training = any(spots, [](const Spot& s) { return s.in_training(); });
  const bool only_splits =
      training && all(spots, [](const Spot& s) { return s.folder.empty() || s.in_split_folder(); });
  const bool right_in_training = any(spots, [](const Spot& s) { return s.in_training() && s.right_in_split_folder(); });
  if (any(spots, [](const Spot& s) { return s.deep_in_split_folder(); }) &&
      (only_splits || (deep_training && !right_in_training))) {
    TRY_VOID(check_unmixed(spots, true));
    return Form{.splits = true};
  }
  if (only_splits) {
    if (any(spots, [](const Spot& s) { return s.in_training() && s.has_name(); }))
      return Form{.splits = true, .names = true};
    return fail(ErrorCode::InvalidArgument,
                "its images lie right in '{}', which tells no class: expected train/CLASS/IMAGE, or names such as "
                "cat.0.jpg",
                spots.front().folder);
  }
  if (all(spots, [](const Spot& s) { return s.folder.empty(); })) {
    if (any(spots, [](const Spot& s) { return s.has_name(); })) return Form{.names = true};
    return fail(ErrorCode::InvalidArgument,
                "no class folder with images: expected CLASS/IMAGE, train/CLASS/IMAGE, or names such as cat.0.jpg");
  }
  TRY_VOID(check_unmixed(spots, false));  // a class named "train" has its images right inside
  return Form{};
}

struct Meaning {
  Split split = Split::Train;
  std::string label;
};

/// What a folder, and a name in it, mean; nothing when they tell no class.
std::optional<Meaning> meaning_of(std::string_view folder, const std::string& name, const Form& form) {
  Meaning meaning;
  if (form.splits) {
    const auto split = split_folder(first_part(folder));
    if (!split) return std::nullopt;
    meaning.split = *split;
    folder = after_first(folder);
  }
  meaning.label = form.names ? name : std::string(first_part(folder));
  if (meaning.label.empty() || (form.names && !folder.empty())) return std::nullopt;
  return meaning;
}

std::string objection_of(const Form& form) {
  if (form.names) return "no class in its name, such as cat.0.jpg";
  return form.splits ? "not in train/CLASS/, validation/CLASS/ or test/CLASS/" : "not in a class folder";
}

using Found = std::map<std::string, std::set<Split>>;  // label -> the splits that have an image of it

/// A class without a sound image is most likely a mistake.
Result<void> check_empty(const Found& found, std::vector<Place>& places, const std::set<std::string>& folders,
                         std::size_t skip, const Form& form) {
  if (form.names) {
    for (const auto& place : places)
      if (!place.name.empty() && place.folder.size() + 1 >= skip && place.images == 0 && !found.contains(place.name))
        return fail(ErrorCode::InvalidArgument, "class '{}' has no image that can be read", place.name);
    return {};
  }
  for (const auto& folder : folders) {
    if (folder.size() <= skip) continue;
    const auto inside = std::string_view(folder).substr(skip);
    if (!is_one_part(form.splits ? after_first(inside) : inside)) continue;
    const auto meaning = meaning_of(inside, {}, form);
    if (!meaning) continue;
    const auto label = found.find(meaning->label);
    if (label == found.end() || !label->second.contains(meaning->split))
      return fail(ErrorCode::InvalidArgument, "class folder '{}' has no image that can be read: fill it or remove it",
                  folder);
  }
  return {};
}

/// A class without training images cannot be learned, and one class alone neither.
Result<void> check_classes(const Found& found) {
  for (const auto& [label, splits] : found)
    if (!splits.contains(Split::Train))
      return fail(ErrorCode::InvalidArgument, "class '{}' has no training image", label);
  if (found.size() < 2)
    return fail(ErrorCode::InvalidArgument,
                "{}, but a classifier needs at least two: expected CLASS/IMAGE or train/CLASS/IMAGE",
                found.empty() ? std::string("no class folder with images")
                              : fmt::format("only one class, '{}'", found.begin()->first));
  return {};
}

}  // namespace

std::optional<Split> split_meant(std::string_view word) {
  if (word == "train" || word == "training") return Split::Train;
  if (word == "val" || word == "valid" || word == "validation") return Split::Validation;
  if (word == "test" || word == "testing") return Split::Test;
  return std::nullopt;
}

Result<Layout> lay_out(std::vector<Place>& places, const std::set<std::string>& folders) {
  Spots spots;
  for (auto& place : places)
    if (place.images > 0) spots.push_back({place.folder, &place});
  if (spots.empty()) return fail(ErrorCode::InvalidArgument, "no image that can be read in it");
  Layout layout;
  layout.skip = enclosing(spots, folders).size();
  for (auto& spot : spots) spot.folder.remove_prefix(std::min(layout.skip, spot.folder.size()));
  if (is_folder_of_names(spots)) {
    layout.skip += spots.front().folder.size() + 1;
    for (auto& spot : spots) spot.folder = {};
  }
  TRY(const auto form, form_of(spots));

  Found found;
  std::vector<std::optional<Meaning>> meanings;
  for (const auto& spot : spots) {
    meanings.push_back(meaning_of(spot.folder, spot.place->name, form));
    if (meanings.back()) found[meanings.back()->label].insert(meanings.back()->split);
  }
  TRY_VOID(check_empty(found, places, folders, layout.skip, form));
  TRY_VOID(check_classes(found));
  for (const auto& [label, splits] : found) layout.labels.push_back(label);
  for (std::size_t i = 0; i < spots.size(); ++i) {
    auto& place = *spots[i].place;
    if (!meanings[i]) {
      place.objection = objection_of(form);
      continue;
    }
    place.split = meanings[i]->split;
    place.label = static_cast<int>(std::lower_bound(layout.labels.begin(), layout.labels.end(), meanings[i]->label) -
                                   layout.labels.begin());
  }
  return layout;
}

}  // namespace imago::data
