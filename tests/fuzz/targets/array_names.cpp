// SPDX-License-Identifier: Apache-2.0
// The names of arrays in somebody's file, one a line.
#include "data/array_names.hpp"

#include <algorithm>

#include "fuzz/target.hpp"

FUZZ_TARGET(array_names) {
  std::vector<std::string> names;
  while (!input.empty()) {
    const auto [line, rest] = imago::fuzz::first_line(input);
    names.emplace_back(line);
    input = rest;
  }
  const auto known = [&](const std::string& name) { return std::ranges::find(names, name) != names.end(); };
  const auto splits = imago::data::choose_splits(imago::data::pair_arrays(names));
  if (!splits) return;
  EXPECTS(!splits->empty() && splits->front().first == imago::data::Split::Train, "the first is for training");
  for (const auto& [split, pair] : *splits)
    EXPECTS(known(pair.pixels) && known(pair.labels), "two of the names that were given");
}
