// SPDX-License-Identifier: Apache-2.0
#include "fuzz/requests/mutate.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <vector>

namespace imago::fuzz {
namespace {

// Numbers at the edge of what somebody may have thought of.
constexpr auto kNumbers = std::to_array<std::string_view>({"0",          "-1",
                                                           "1",          "2",
                                                           "255",        "256",
                                                           "1e999",      "-0",
                                                           "2147483647", "2147483648",
                                                           "65536",      "4294967295",
                                                           "1e-9",       "9223372036854775807",
                                                           "1000000000", "18446744073709551616",
                                                           "0x10",       "1.5",
                                                           "+1",         "01",
                                                           "NaN",        "99999999999999999999999999"});

constexpr auto kValues = std::to_array<std::string_view>({"null",
                                                          "true",
                                                          "false",
                                                          "[]",
                                                          "{}",
                                                          "\"\"",
                                                          "[[]]",
                                                          "[[[[[[[[[[[[]]]]]]]]]]]]",
                                                          "{\"a\":{\"a\":{}}}",
                                                          "[1,\"a\",null]",
                                                          "\"\\u0000\"",
                                                          "\"\\ud800\"",
                                                          "\"\\uD83D\\uDE00\"",
                                                          "\"../../etc/passwd\"",
                                                          "\"\xff\xfe\"",
                                                          "\"a\\nb\"",
                                                          "[-1]",
                                                          "\"/9j/4AAQ\"",
                                                          "\"data:image/png;base64,\"",
                                                          "[0.5,1e39]",
                                                          "\"cat\"",
                                                          "\"small\\u0000\""});

constexpr auto kPieces = std::to_array<std::string_view>({"%00",
                                                          "%2e%2e/",
                                                          "..",
                                                          "//",
                                                          "%",
                                                          "%zz",
                                                          "%FF",
                                                          "%2F",
                                                          "+",
                                                          "&&",
                                                          "=",
                                                          "?",
                                                          "#",
                                                          ";",
                                                          ":",
                                                          "\\",
                                                          "%0d%0aX:y",
                                                          "{name}",
                                                          "champion",
                                                          "latest",
                                                          "*",
                                                          "~",
                                                          "%E2%82%AC",
                                                          "\xc3\xa4",
                                                          "\xff",
                                                          "1",
                                                          "0",
                                                          "-1",
                                                          "99999999999999999999",
                                                          "v2",
                                                          "v1",
                                                          "models"});

constexpr auto kHeaderValues =
    std::to_array<std::string_view>({"",
                                     "0",
                                     "-1",
                                     "1",
                                     "18446744073709551616",
                                     "text/html",
                                     "*/*",
                                     "application/json",
                                     "application/json; charset=utf-16",
                                     "multipart/form-data",
                                     "multipart/form-data; boundary=",
                                     "multipart/form-data; boundary=\"a",
                                     "image/png",
                                     "image/svg+xml",
                                     "application/octet-stream",
                                     "gzip",
                                     "identity",
                                     "Bearer x",
                                     "Bearer ",
                                     "high",
                                     "low",
                                     "bytes=0-1",
                                     "100-continue",
                                     "localhost",
                                     "evil.example",
                                     "cross-site",
                                     "text/plain;q=0",
                                     "application/openmetrics-text;version=1.0.0",
                                     ",",
                                     ";;;",
                                     "\"",
                                     "\xff\xfe\x01",
                                     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                     "00-00000000000000000000000000000000-0000000000000000-00"});

std::string_view one_of(std::span<const std::string_view> choices, Rng& rng) {
  return choices[rng.below(choices.size())];
}

std::size_t position(const std::string& bytes, Rng& rng) { return rng.below(bytes.size() + 1); }

char any_byte(Rng& rng) { return static_cast<char>(rng.below(256)); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The number that begins nearest after a random place becomes another; false when there is none.
bool replace_number(std::string& bytes, Rng& rng) {
  const auto from =
      std::find_if(bytes.begin() + static_cast<std::ptrdiff_t>(position(bytes, rng)), bytes.end(), is_digit);
  if (from == bytes.end()) return false;
  bytes.replace(from, std::find_if_not(from, bytes.end(), is_digit), one_of(kNumbers, rng));
  return true;
}

void change_once(std::string& bytes, Rng& rng) {
  const auto at = position(bytes, rng);
  const auto length = std::min<std::size_t>(1 + rng.below(rng.chance(0.1) ? 4096 : 8), bytes.size() - at);
  switch (rng.below(8)) {
    case 0:
      if (at < bytes.size())
        bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << rng.below(8)));
      break;
    case 1:
      if (at < bytes.size()) bytes[at] = any_byte(rng);
      break;
    case 2: bytes.erase(at, length); break;
    case 3: bytes.insert(at, bytes.substr(at, length)); break;
    case 4: bytes.insert(at, 1 + rng.below(8), any_byte(rng)); break;
    case 5:
      bytes.insert(at, one_of(rng.chance(0.5) ? std::span<const std::string_view>(kValues) : kPieces, rng));
      break;
    case 6: replace_number(bytes, rng); break;
    default:
      if (rng.chance(0.3)) bytes.resize(at);
  }
}

/// Where a value of JSON begins and ends, roughly: after one of `[,:` up to the next of `,]}`.
bool replace_value(std::string& text, Rng& rng) {
  const auto opens = text.find_first_of("[,:", position(text, rng));
  if (opens == std::string::npos) return false;
  const auto closes = std::min(text.find_first_of(",]}", opens + 1), text.size());
  text.replace(opens + 1, closes - opens - 1,
               one_of(rng.chance(0.4) ? std::span<const std::string_view>(kNumbers) : kValues, rng));
  return true;
}

bool ends_the_request_line(char c) {
  return c == ' ' || c == '\r' || c == '\n' || c == '\t' || c == '\0' || c == '\v' || c == '\f';
}

}  // namespace

std::string damage(std::string bytes, Rng& rng, int most) {
  for (auto times = 1 + rng.below(static_cast<std::uint64_t>(most)); times > 0; --times) change_once(bytes, rng);
  return bytes;
}

std::string damage_json(std::string text, Rng& rng) {
  bool changed = false;
  for (auto times = 1 + rng.below(3); times > 0; --times) changed |= replace_value(text, rng);
  if (changed && rng.chance(0.8)) return text;
  return damage(std::move(text), rng, 3);
}

std::string damage_target(std::string target, Rng& rng) {
  for (auto times = 1 + rng.below(3); times > 0; --times) {
    const auto at = 1 + rng.below(target.size());
    switch (rng.below(5)) {
      case 0: target.insert(at, one_of(kPieces, rng)); break;
      case 1: target.insert(at, 1, any_byte(rng)); break;
      case 2: target.erase(at, 1 + rng.below(6)); break;
      case 3: replace_number(target, rng); break;
      default:
        target +=
            (target.find('?') == std::string::npos ? "?limit=" : "&version=") + std::string(one_of(kNumbers, rng));
    }
  }
  std::erase_if(target, ends_the_request_line);
  return target;
}

std::string odd_value(Rng& rng) {
  std::string value(one_of(rng.chance(0.3) ? std::span<const std::string_view>(kNumbers) : kHeaderValues, rng));
  if (rng.chance(0.3)) value = damage(std::move(value), rng, 3);
  if (rng.chance(0.01)) value.append(rng.below(40'000), 'a');
  std::erase_if(value, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
  return value;
}

}  // namespace imago::fuzz
