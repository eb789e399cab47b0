// SPDX-License-Identifier: Apache-2.0
// The types that files of weights hold numbers in, by safetensors' names.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace imago::model {

struct NumberType {
  std::string_view name;            ///< "F32", "BF16", "I64"
  std::size_t size;                 ///< bytes of a number
  float (*read)(const std::byte*);  ///< little-endian; nullptr: an integer, which is no weight
};

/// Null where there is none of that name. The floats are F16, BF16, F32 and F64.
const NumberType* find_number_type(std::string_view name);

/// The numbers that lie one after the other at `from`. EXPECTS a type of floats.
void read_numbers(const NumberType& type, const std::byte* from, std::span<float> into);

}  // namespace imago::model
