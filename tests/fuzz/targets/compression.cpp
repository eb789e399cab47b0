// SPDX-License-Identifier: Apache-2.0
// A body with Content-Encoding, and the header itself.
#include "http/compression.hpp"

#include "fuzz/target.hpp"

FUZZ_TARGET(compression) {
  using namespace imago::http;
  constexpr std::size_t kMost = 1 << 20;
  static_cast<void>(parse_coding(input));
  static_cast<void>(accepted_coding(input));
  for (const Coding coding : {Coding::Gzip, Coding::Deflate}) {
    const auto unpacked = decompress(input, coding, kMost);
    EXPECTS(!unpacked || unpacked->size() <= kMost, "no more than it may");
    EXPECTS(decompress(compress(input, coding), coding, input.size()) == std::string(input),
            "what was packed comes back");
  }
}
