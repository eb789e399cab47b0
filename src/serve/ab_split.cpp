// SPDX-License-Identifier: Apache-2.0
#include "serve/ab_split.hpp"

#include <charconv>

#include "base/hash.hpp"
#include "base/rng.hpp"

namespace imago::serve {
namespace {

/// Uniform in [0, 1) over all keys: the first 52 bits of SHA-256.
double position_of(std::string_view key) {
  const std::string digest = sha256(key);
  std::uint64_t bits = 0;
  std::from_chars(digest.data(), digest.data() + 13, bits, 16);
  return static_cast<double>(bits) / static_cast<double>(std::uint64_t{1} << 52);
}

}  // namespace

bool AbSplit::takes_challenger(std::string_view key) {
  if (!key.empty()) return position_of(key) < share_;
  return Rng::for_item(seed_, 0, draws_++).chance(share_);
}

}  // namespace imago::serve
