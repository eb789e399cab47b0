// SPDX-License-Identifier: Apache-2.0
#include "access/network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

namespace imago::access {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_v4(const Address& address) { return std::equal(kMapped.begin(), kMapped.end(), address.begin()); }

/// `address` with all but the first `bits` bits zero.
Address masked(Address address, int bits) {
  for (int i = 0; i < 16; ++i) {
    const int kept = std::clamp(bits - 8 * i, 0, 8);
    address[static_cast<std::size_t>(i)] &= static_cast<std::uint8_t>(0xff00 >> kept);
  }
  return address;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  const std::string terminated(text);
  Address address{};
  if (inet_pton(AF_INET6, terminated.c_str(), address.data()) == 1) return address;
  in_addr v4{};
  if (inet_pton(AF_INET, terminated.c_str(), &v4) != 1) return std::nullopt;
  std::copy(kMapped.begin(), kMapped.end(), address.begin());
  std::memcpy(address.data() + kMapped.size(), &v4, sizeof v4);
  return address;
}

bool is_loopback(const Address& address) {
  if (is_v4(address)) return address[12] == 127;
  Address one{};
  one[15] = 1;
  return address == one;
}

Address client_of(Address address) { return is_v4(address) ? address : masked(address, 64); }

Result<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return fail(ErrorCode::InvalidArgument, "'{}' is no network: give one as 10.0.0.0/8 or fd00::/8", text);
  Network network;
  if (slash != std::string_view::npos) {
    const auto length = text.substr(slash + 1);
    const int most = is_v4(*address) ? 32 : 128;
    int bits = -1;
    const auto [end, code] = std::from_chars(length.data(), length.data() + length.size(), bits);
    if (code != std::errc() || end != length.data() + length.size() || bits < 0 || bits > most)
      return fail(ErrorCode::InvalidArgument, "'{}': the prefix length is not in 0 to {}", text, most);
    network.bits_ = bits + 128 - most;
  }
  network.first_ = masked(*address, network.bits_);
  if (network.first_ != *address)
    return fail(ErrorCode::InvalidArgument, "'{}' has bits beyond its prefix: is a shorter one meant?", text);
  return network;
}

bool Network::contains(const Address& address) const { return masked(address, bits_) == first_; }

}  // namespace imago::access
