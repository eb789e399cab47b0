// SPDX-License-Identifier: Apache-2.0
// What was answered lately, by request id: so that whoever sends the true label (docs/api/feedback.md) need not repeat
// what the answer was. In memory and bounded: what is older, or was before a restart, is forgotten.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "serve/answer.hpp"

namespace imago::serve {

struct RecentAnswer {
  std::shared_ptr<const AnsweredBy> by;
  int class_index = 0;
  float confidence = 0.0F;
};

/// Safe from any thread. Keeping one costs a hash and a lock that nobody else wants.
class RecentAnswers {
 public:
  /// So many are kept at most. Which is forgotten first is decided in sets of kWays, so of half as many hardly any is.
  static constexpr std::size_t kMost = 65'536;

  /// @param index of the image among those of its request, from 0. Of equal ids the last counts.
  void keep(std::string_view request_id, int index, RecentAnswer answer);
  [[nodiscard]] std::optional<RecentAnswer> find(std::string_view request_id, int index) const;

 private:
  static constexpr std::size_t kWays = 8, kSets = kMost / kWays, kLocks = 64;

  struct Slot {
    std::uint64_t key = 0;
    RecentAnswer answer;
  };
  struct Set {
    std::array<Slot, kWays> slots;
    std::size_t next = 0;  ///< the oldest
  };

  std::vector<Set> sets_ = std::vector<Set>(kSets);
  mutable std::array<std::mutex, kLocks> locks_;  // of the sets, in turn
};

}  // namespace imago::serve
