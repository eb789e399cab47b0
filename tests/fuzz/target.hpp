// SPDX-License-Identifier: Apache-2.0
// A fuzz target: a place where other people's bytes come in, and what must hold whatever they are.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"

namespace imago::fuzz {

struct Target {
  std::string_view name;
  void (*run)(std::string_view input);
};

/// Those of the files that this program was linked from.
std::vector<Target>& targets();

struct Registration {
  explicit Registration(Target target) { targets().push_back(target); }
};

/// Before the first line break, and after it: for entrances that take a header and a body.
std::pair<std::string_view, std::string_view> first_line(std::string_view input);

/// The next number of `bytes` bytes, big-endian, taken from the front; what is missing reads as 0.
std::size_t take_number(std::string_view& input, int bytes);

}  // namespace imago::fuzz

/// `FUZZ_TARGET(pickle) { ... input ... }` in targets/pickle.cpp. It must come back, without EXPECTS failing: that is
/// how a target says what must hold.
#define FUZZ_TARGET(name)                                                       \
  static void fuzz_##name(std::string_view input);                              \
  static const ::imago::fuzz::Registration registration({#name, &fuzz_##name}); \
  static void fuzz_##name(std::string_view input)
