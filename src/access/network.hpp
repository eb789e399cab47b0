// SPDX-License-Identifier: Apache-2.0
// Addresses of clients, and networks of them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.hpp"

namespace imago::access {

/// IPv6; an IPv4 address is the last four bytes after ::ffff:0:0/96.
using Address = std::array<std::uint8_t, 16>;

std::optional<Address> parse_address(std::string_view text);

/// 127.0.0.0/8 or ::1.
bool is_loopback(const Address& address);

/// Who shares one allowance: an IPv4 address; of IPv6 the /64, which one customer has to himself.
Address client_of(Address address);

class Network {
 public:
  /// "10.0.0.0/8", "fd00::/8", or one address. InvalidArgument else, also when bits beyond the prefix are set.
  static Result<Network> parse(std::string_view text);
  [[nodiscard]] bool contains(const Address& address) const;

 private:
  Address first_{};
  int bits_ = 128;
};

}  // namespace imago::access
