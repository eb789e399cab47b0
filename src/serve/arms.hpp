// SPDX-License-Identifier: Apache-2.0
// The models that answer predictions: the main one and, in an A/B test, a challenger beside it. docs/ab.md
#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include "json/json.hpp"
#include "serve/ab_split.hpp"
#include "serve/live_model.hpp"

namespace imago::serve {

/// Safe from any thread. A model that is replaced goes once its last request is through with it.
class Arms {
 public:
  using Model = std::shared_ptr<const LiveModel>;

  /// @param share  of requests for the challenger, in [0, 1].
  Arms(double share, std::uint64_t seed) : split_(share, seed) {}

  /// Null while none was loaded.
  [[nodiscard]] Model main() const;
  /// The one to answer a request with this key, which may be empty: the main model unless there is a challenger.
  [[nodiscard]] Model choose(std::string_view key);

  void set_main(Model model);
  /// Null takes it away. A challenger that has other labels than the main model gets no requests: clients could not
  /// read its answers.
  void set_challenger(Model model);

  /// Images that wait for the challenger.
  [[nodiscard]] std::size_t challenger_queued() const;
  /// "arms" of /status: name, version and share in percent of each, the main model first.
  [[nodiscard]] json::Value describe() const;

 private:
  struct Both {
    Model main, challenger;  // the challenger only if it may answer
  };
  [[nodiscard]] Both both() const;
  void compare();  // with the lock held

  AbSplit split_;
  mutable std::mutex mutex_;  // guards what follows
  Model main_;
  Model challenger_;
  bool comparable_ = false;  // there are both, and their labels agree
};

}  // namespace imago::serve
