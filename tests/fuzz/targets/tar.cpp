// SPDX-License-Identifier: Apache-2.0
// Plain or compressed.
#include "fuzz/archives.hpp"
#include "fuzz/target.hpp"

FUZZ_TARGET(tar) {
  if (!input.starts_with("PK")) imago::fuzz::read_all(input);
}
