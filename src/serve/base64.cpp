// SPDX-License-Identifier: Apache-2.0
#include "serve/base64.hpp"

#include <array>
#include <cstdint>

namespace imago::serve {
namespace {

constexpr std::uint8_t kNone = 255, kSkip = 254, kPad = 253;

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::uint8_t, 256> make_table() {
  std::array<std::uint8_t, 256> table{};
  for (auto& entry : table) entry = kNone;
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  table['-'] = 62;
  table['_'] = 63;
  table['\r'] = table['\n'] = kSkip;
  table['='] = kPad;
  return table;
}
constexpr auto kTable = make_table();

}  // namespace

Result<std::string> decode_base64(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t bits = 0;
  int held = 0;  // sextets in `bits`
  int padding = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint8_t sextet = kTable[static_cast<unsigned char>(text[i])];
    if (sextet == kSkip) continue;
    if (sextet == kPad) {
      ++padding;
      continue;
    }
    if (sextet == kNone || padding > 0) {
      return fail(ErrorCode::InvalidArgument, "not base64 at character {} of {}", i, text.size());
    }
    bits = bits << 6 | sextet;
    if (++held == 4) {
      bytes += {static_cast<char>(bits >> 16), static_cast<char>(bits >> 8), static_cast<char>(bits)};
      held = 0;
      bits = 0;
    }
  }
  if (held == 1 || padding > 2 || (padding > 0 && held + padding != 4)) {
    return fail(ErrorCode::InvalidArgument, "base64 is cut after {} characters", text.size());
  }
  if (held == 2) bytes += static_cast<char>(bits >> 4);
  if (held == 3) bytes += {static_cast<char>(bits >> 10), static_cast<char>(bits >> 2)};
  return bytes;
}

std::string encode_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) {
      return i + k < bytes.size() ? std::uint32_t{static_cast<unsigned char>(bytes[i + k])} : 0U;
    };
    const std::uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (std::size_t k = 0; k < 4; ++k) text += i + k <= bytes.size() ? kAlphabet[bits >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

}  // namespace imago::serve
