// SPDX-License-Identifier: Apache-2.0
// Inside data/: where the files of a source lie. There are many files, but few places.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/manifest.hpp"

namespace imago::data {

/// Files that belong together by where they lie and how they are called.
struct Place {
  std::string folder;      ///< of the source; empty: the source itself
  std::string name;        ///< the class that the files' names begin with: "cat" of cat.0.jpg; or empty
  std::size_t images = 0;  ///< that are sound

  // What it means: by the layout, or known from the start.
  int label = -1;  ///< none yet
  Split split = Split::Train;
  std::string objection;  ///< why its images are not taken; or empty
};

/// The class in a name of the form CLASS.NUMBER.ENDING, as Kaggle's cats and dogs have it; or nothing.
std::string_view class_in_name(std::string_view file_name);

/// All places of a source, numbered as they come.
class Places {
 public:
  /// Classes that the names in one folder may tell apart; more are not classes.
  static constexpr std::size_t kMostNames = 4096;

  /// The place of a file.
  std::size_t find(std::string_view path);
  /// The place of images of a file that brings its own labels and split.
  std::size_t find(std::string_view folder, int label, Split split);
  /// Takes note of a folder, and of those it is in.
  void add_folder(std::string_view folder);

  [[nodiscard]] std::vector<Place>& all() { return places_; }
  [[nodiscard]] const std::set<std::string>& folders() const { return folders_; }

 private:
  std::size_t find_or_add(std::string_view folder, std::string_view name);

  std::vector<Place> places_;
  std::set<std::string> folders_;                         // of files and empty ones
  std::unordered_map<std::string, std::size_t> numbers_;  // by folder and name
  std::unordered_map<std::string, std::size_t> names_in_;
};

}  // namespace imago::data
