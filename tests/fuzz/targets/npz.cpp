// SPDX-License-Identifier: Apache-2.0
#include "data/arrays.hpp"
#include "fuzz/target.hpp"

FUZZ_TARGET(npz) {
  static_cast<void>(imago::data::looks_like_npz(input));
  static_cast<void>(imago::data::read_npz("arrays.npz", input, {"cat", "dog", "frog"}));
  static_cast<void>(imago::data::read_npz_splits("arrays.npz", input));
}
