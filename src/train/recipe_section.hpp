// SPDX-License-Identifier: Apache-2.0
// Inside train/: how a recipe is read.
#pragma once

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "json/json.hpp"

namespace imago::train {

/// One JSON object of a recipe, read key by key; the first thing wrong is kept and everything after it is ignored.
class Section {
 public:
  Section(const json::Value& parent, std::string name) : name_(std::move(name)) {
    if (name_.empty()) {
      value_ = parent;
    } else if (parent.is_object() && parent.contains(name_)) {
      value_ = parent[name_];
    }
    if (!value_.is_object()) error_ = Error{ErrorCode::InvalidArgument, fmt::format("{} must be an object", label())};
  }

  void read(const char* key, bool& into) { take(key, into); }
  void read(const char* key, std::string& into) { take(key, into); }

  void read(const char* key, double& into, double least, double most) {
    take(key, into);
    check_range(key, into, least, most);
  }

  void read(const char* key, int& into, int least, int most) {
    take(key, into);
    check_range(key, into, least, most);
  }

  /// A nested object that somebody else reads.
  void allow(const std::string& key) { known_.push_back(key); }

  /// What other programs have under `key`, and where it is here: said to whoever looks for it.
  void elsewhere(const std::string& key, const std::string& where) { elsewhere_[key] = where; }

  /// The first failure, or a key that nobody read.
  [[nodiscard]] Result<void> finish() const {
    if (error_) return tl::unexpected<Error>(*error_);
    for (const auto& [key, unused] : value_.items()) {
      if (std::ranges::find(known_, key) != known_.end()) continue;
      const auto found = elsewhere_.find(key);
      return fail(ErrorCode::InvalidArgument, "{} has no setting '{}'{}: there are {}", label(), key,
                  found == elsewhere_.end() ? "" : fmt::format(" (it is {} here)", found->second),
                  fmt::join(known_, ", "));
    }
    return {};
  }

 private:
  [[nodiscard]] std::string label() const { return name_.empty() ? "the recipe" : "recipe." + name_; }

  template <class T>
  void take(const char* key, T& into) {
    known_.emplace_back(key);
    if (error_) return;
    auto found = json::get_or<T>(value_, key, into);
    if (found) {
      into = std::move(*found);
    } else {
      error_ = std::move(found.error()).with(label());
    }
  }

  template <class T>
  void check_range(const char* key, T found, T least, T most) {
    if (error_ || (found >= least && found <= most)) return;  // false for nan
    error_ = Error{ErrorCode::InvalidArgument,
                   fmt::format("{}: {} is {}, not in [{}, {}]", label(), key, found, least, most)};
  }

  std::string name_;
  json::Value value_ = json::Value::object();
  std::vector<std::string> known_;
  std::map<std::string, std::string> elsewhere_;
  std::optional<Error> error_;
};

}  // namespace imago::train
