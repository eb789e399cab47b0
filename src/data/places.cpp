// SPDX-License-Identifier: Apache-2.0
#include "data/places.hpp"

#include <fmt/format.h>

#include "data/remarks.hpp"

namespace imago::data {

std::string_view class_in_name(std::string_view file_name) {
  if (!has_image_ending(file_name)) return {};
  const auto rest = file_name.substr(0, file_name.rfind('.'));
  const auto number = rest.rfind('.');
  if (number == std::string_view::npos || number + 1 == rest.size()) return {};
  if (rest.find_first_not_of("0123456789", number + 1) != std::string_view::npos) return {};
  return rest.substr(0, number);
}

std::size_t Places::find(std::string_view path) {
  const auto slash = path.rfind('/');
  const auto folder = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  return find_or_add(folder, class_in_name(path.substr(slash == std::string_view::npos ? 0 : slash + 1)));
}

std::size_t Places::find(std::string_view folder, int label, Split split) {
  const auto number = find_or_add(folder, fmt::format("{}", label));
  places_[number].label = label;
  places_[number].split = split;
  return number;
}

std::size_t Places::find_or_add(std::string_view folder, std::string_view name) {
  auto key = fmt::format("{}/{}", folder, name);  // a name has no slash
  if (const auto found = numbers_.find(key); found != numbers_.end()) return found->second;
  if (!name.empty() && ++names_in_[std::string(folder)] > kMostNames) return find_or_add(folder, {});
  add_folder(folder);
  numbers_.emplace(std::move(key), places_.size());
  places_.push_back({.folder = std::string(folder), .name = std::string(name)});
  return places_.size() - 1;
}

void Places::add_folder(std::string_view folder) {
  while (!folder.empty() && folders_.emplace(folder).second) {
    const auto slash = folder.rfind('/');
    folder = folder.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
}

}  // namespace imago::data
