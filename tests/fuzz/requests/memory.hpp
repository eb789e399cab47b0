// SPDX-License-Identifier: Apache-2.0
// What a client knows of the server's state from its answers: ids to ask for again.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "base/rng.hpp"

namespace imago::fuzz {

class Memory {
 public:
  /// Keeps the latest ids that stand in the answer's body as JSON strings.
  void learn(std::string_view body);
  /// `text` with each {{upload}}, {{feedback}}, {{job}}, {{run}} and {{sha256}} replaced by one that was seen, or by
  /// nobody's.
  [[nodiscard]] std::string fill(std::string text, Rng& rng) const;

 private:
  std::map<std::string, std::deque<std::string>, std::less<>> seen_;
};

}  // namespace imago::fuzz
