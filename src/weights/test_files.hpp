// SPDX-License-Identifier: Apache-2.0
// For tests: parts of PyTorch's files, written by hand.
#pragma once

#include <string>

#include "base/files.hpp"
#include "base/source_dir.hpp"
#include "weights/torch_tensors.hpp"

namespace imago::weights {

inline fs::path fixture(const std::string& name) { return fs::path(source_dir()) / "src/weights/fixtures" / name; }

inline std::string pickled_text(const std::string& text) {
  return "X" + std::string{static_cast<char>(text.size()), '\0', '\0', '\0'} + text;
}

inline std::string pickled_number(std::int64_t value) {  // LONG1
  std::string out("\x8a\x08");
  for (int i = 0; i < 8; ++i) out += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFF);
  return out;
}

inline std::string pickled_tuple(const std::vector<std::int64_t>& numbers) {
  std::string out = "(";
  for (const auto number : numbers) out += pickled_number(number);
  return out + "t";
}

/// A view of storage "0", as torch.save writes one with protocol 2.
struct HandMadeTensor {
  std::vector<std::int64_t> shape, strides;
  std::int64_t offset = 0;
  std::int64_t numbers = 4;  ///< that the storage is said to have
  std::string type = "FloatStorage";

  [[nodiscard]] std::string pickled() const {
    return "ctorch._utils\n_rebuild_tensor_v2\n((" + pickled_text("storage") + "ctorch\n" + type + "\n" +
           pickled_text("0") + pickled_text("cpu") + pickled_number(numbers) + "tQ" + pickled_number(offset) +
           pickled_tuple(shape) + pickled_tuple(strides) + "\x89" + "ccollections\nOrderedDict\n)RtR";
  }
};

/// A file of one dict, whose members are already pickled.
inline TorchParts parts_with(const std::string& members, const std::string& storage) {
  return {.pickle = "\x80\x02}(" + members + "u.", .bytes = {{"0", storage}}, .big_endian = false};
}

}  // namespace imago::weights
