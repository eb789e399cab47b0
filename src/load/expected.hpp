// SPDX-License-Identifier: Apache-2.0
// What answers must say.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace imago::load {

/// The class of each image: one whichever version answers, or one for each version. Then an answer must be that of the
/// version it names, so that a mixture of two is found.
class Expected {
 public:
  Expected(std::vector<int> classes) : by_version_{{kAny, std::move(classes)}} {}  // NOLINT: vectors are expectations
  Expected(std::initializer_list<int> classes) : Expected(std::vector<int>(classes)) {}
  /// All of the same images; not empty.
  explicit Expected(std::map<int, std::vector<int>> by_version) : by_version_(std::move(by_version)) {}

  [[nodiscard]] std::size_t images() const { return by_version_.begin()->second.size(); }
  /// What is wrong with a JSON answer; empty when it is right.
  [[nodiscard]] std::string problem_with(std::string_view body, std::size_t image) const;

 private:
  static constexpr int kAny = 0;
  std::map<int, std::vector<int>> by_version_;
};

/// `class_index` of an answer to /predict, and its `model_version`; -1 when it has none.
int class_in(std::string_view body);
int version_in(std::string_view body);

}  // namespace imago::load
