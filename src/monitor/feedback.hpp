// SPDX-License-Identifier: Apache-2.0
// What images really showed, as people say afterwards: kept for ever, and how often each version was right.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "store/database.hpp"

namespace imago::monitor {

struct Feedback {
  std::string id;       ///< "f4f0c9a1b2d3e4f50"
  std::string created;  ///< RFC 3339
  std::string request;  ///< the id of the request that was answered; may be empty
  int item = 0;         ///< of the images of that request, from 0
  std::string model;
  int version = 0;
  std::string predicted;               ///< the label that was answered
  std::optional<double> confidence{};  ///< of it
  std::string label;                   ///< what it really is
  std::string sha256{};                ///< of the image; may be empty
  std::string upload{};                ///< the image, waiting for a retraining; may be empty
  std::string note{};                  ///< in words

  [[nodiscard]] bool correct() const { return predicted == label; }
};

/// Which feedback is wanted; what is empty is not asked about.
struct FeedbackFilter {
  std::string model{};
  std::optional<int> version{};
  std::optional<bool> correct{};
};

/// How often a version was right, of those predictions that somebody spoke about.
struct LiveAccuracy {
  std::string model;
  int version = 0;
  std::int64_t count = 0;
  std::int64_t correct = 0;

  [[nodiscard]] double accuracy() const {
    return count == 0 ? 0.0 : static_cast<double>(correct) / static_cast<double>(count);
  }
};

/// Rows in SQL. Safe from any thread; several processes may share one database.
class FeedbackLog {
 public:
  explicit FeedbackLog(store::Database& database, const Clock& clock = system_clock())
      : database_(database), clock_(clock) {}

  /// `id` and `created` are given here. Whoever speaks again about the same image of the same request takes back what
  /// was said before; the row keeps its id.
  Result<Feedback> add(Feedback feedback);
  /// Newest first.
  Result<std::vector<Feedback>> list(const FeedbackFilter& filter, int limit, int offset = 0);
  /// By model, then version.
  Result<std::vector<LiveAccuracy>> accuracy(const FeedbackFilter& filter = {});
  Result<std::int64_t> count(const FeedbackFilter& filter);
  /// NotFound when there is none.
  Result<void> remove(const std::string& id);

 private:
  store::Database& database_;
  const Clock& clock_;
};

}  // namespace imago::monitor
