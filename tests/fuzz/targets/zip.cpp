// SPDX-License-Identifier: Apache-2.0
#include "fuzz/archives.hpp"
#include "fuzz/target.hpp"

FUZZ_TARGET(zip) {
  if (input.starts_with("PK")) imago::fuzz::read_all(input);
}
