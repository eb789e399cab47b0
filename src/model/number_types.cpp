// SPDX-License-Identifier: Apache-2.0
#include "model/number_types.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/error.hpp"

namespace imago::model {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie in the file");

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// IEEE 754 half precision. Subnormals are exact multiples of 2^-24.
float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1FU;
  const std::uint32_t mantissa = half & 0x3FFU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 0x1F ? 0xFFU : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23) | (mantissa << 13));
}

constexpr NumberType kTypes[] = {
    {"F32", 4, [](const std::byte* at) { return load<float>(at); }},
    {"F16", 2, [](const std::byte* at) { return half_to_float(load<std::uint16_t>(at)); }},
    {"BF16", 2, [](const std::byte* at) { return std::bit_cast<float>(std::uint32_t{load<std::uint16_t>(at)} << 16); }},
    {"F64", 8, [](const std::byte* at) { return static_cast<float>(load<double>(at)); }},
    {"BOOL", 1, nullptr},
    {"U8", 1, nullptr},
    {"I8", 1, nullptr},
    {"U16", 2, nullptr},
    {"I16", 2, nullptr},
    {"U32", 4, nullptr},
    {"I32", 4, nullptr},
    {"U64", 8, nullptr},
    {"I64", 8, nullptr},
};

}  // namespace

const NumberType* find_number_type(std::string_view name) {
  const auto* found = std::ranges::find(kTypes, name, &NumberType::name);
  return found == std::end(kTypes) ? nullptr : found;
}

void read_numbers(const NumberType& type, const std::byte* from, std::span<float> into) {
  EXPECTS(type.read != nullptr, "integers are no weights");
  if (into.empty()) return;
  if (type.name == "F32") {
    std::memcpy(into.data(), from, into.size_bytes());
    return;
  }
  for (std::size_t i = 0; i < into.size(); ++i) into[i] = type.read(from + i * type.size);
}

}  // namespace imago::model
