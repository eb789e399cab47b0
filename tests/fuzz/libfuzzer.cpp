// SPDX-License-Identifier: Apache-2.0
// What libFuzzer calls, for the one target in its program.
#include <cstddef>
#include <cstdint>

#include "fuzz/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  imago::fuzz::targets().front().run({reinterpret_cast<const char*>(data), size});
  return 0;
}
