// SPDX-License-Identifier: Apache-2.0
#include "base/rng.hpp"

#include <openssl/rand.h>

#include <bit>
#include <cmath>
#include <numbers>
#include <vector>

#include "base/error.hpp"

namespace imago {
namespace {

std::uint64_t splitmix64(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

Rng::Rng(std::uint64_t seed) : state_{} {
  for (auto& word : state_) word = splitmix64(seed);
}

Rng Rng::for_item(std::uint64_t seed, std::uint64_t pass, std::uint64_t item) {
  std::uint64_t mixed = seed;
  mixed = splitmix64(mixed) ^ pass;
  mixed = splitmix64(mixed) ^ item;
  return Rng(splitmix64(mixed));
}

std::uint64_t Rng::next() {
  const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Rng::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::uint64_t Rng::below(std::uint64_t bound) {
  EXPECTS(bound > 0, "Rng::below needs a positive bound");
  const std::uint64_t least = (0 - bound) % bound;  // draws under this would favour small results
  for (;;) {
    if (const std::uint64_t draw = next(); draw >= least) return draw % bound;
  }
}

double Rng::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::string random_hex(int bytes) {
  std::vector<unsigned char> raw(static_cast<std::size_t>(bytes));
  EXPECTS(RAND_bytes(raw.data(), bytes) == 1, "the operating system gave no random bytes");
  std::string text;
  for (const unsigned char byte : raw) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace imago
