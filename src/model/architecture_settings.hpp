// SPDX-License-Identifier: Apache-2.0
// Inside model/: how an architecture reads its settings.
#pragma once

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "json/json.hpp"

namespace imago::model {

constexpr int kMaxWidth = 4096;  // of a layer, in channels

/// A recipe's own settings, each asked for once; finish() refuses those nobody asked for.
class Settings {
 public:
  explicit Settings(const json::Value& value) : value_(value) {
    if (!value_.is_object() && !value_.is_null()) reject("the architecture's settings are not an object");
  }

  template <class T>
  T number(const char* key, T otherwise, T least, T most) {
    const T found = take<T>(key, otherwise);
    if (!(found >= least && found <= most)) reject(fmt::format("'{}' is {}, not in [{}, {}]", key, found, least, most));
    return found;
  }

  std::vector<int> widths(const char* key, std::vector<int> otherwise) {
    const auto found = take<std::vector<int>>(key, std::move(otherwise));
    if (found.empty() || found.size() > 8) {
      reject(fmt::format("'{}' needs 1 to 8 numbers, one a block, not {}", key, found.size()));
    }
    for (const int width : found) {
      if (width < 1 || width > kMaxWidth) reject(fmt::format("'{}' has {}, not in [1, {}]", key, width, kMaxWidth));
    }
    return found;
  }

  bool flag(const char* key, bool otherwise) { return take<bool>(key, otherwise); }

  template <std::size_t N>
  int choice(const char* key, const std::array<std::string_view, N>& choices, const std::string& otherwise) {
    const auto found = take<std::string>(key, otherwise);
    const auto place = std::ranges::find(choices, found);
    if (place == choices.end()) {
      reject(fmt::format("'{}' is '{}', not one of {}", key, found, fmt::join(choices, ", ")));
      return 0;
    }
    return static_cast<int>(place - choices.begin());
  }

  Result<void> finish() {
    if (error_) return tl::unexpected<Error>(std::move(*error_));
    for (const auto& [key, value] : value_.items()) {
      if (std::ranges::find(known_, key) != known_.end()) continue;
      return fail(ErrorCode::InvalidArgument, "there is no setting '{}'; {}", key,
                  known_.empty() ? "it takes none" : fmt::format("there are {}", fmt::join(known_, ", ")));
    }
    return {};
  }

 private:
  template <class T>
  T take(const char* key, T otherwise) {
    known_.emplace_back(key);
    if (error_) return otherwise;
    if (value_.is_null()) return otherwise;
    auto found = json::get_or<T>(value_, key, otherwise);
    if (found) return std::move(*found);
    error_ = std::move(found.error());
    return otherwise;
  }

  void reject(std::string why) {
    if (!error_) error_ = Error{ErrorCode::InvalidArgument, std::move(why)};
  }

  const json::Value& value_;
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

}  // namespace imago::model
