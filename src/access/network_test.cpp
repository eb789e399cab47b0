// SPDX-License-Identifier: Apache-2.0
#include "access/network.hpp"

#include <gmock/gmock.h>

namespace imago::access {
namespace {

bool contains(std::string_view network, std::string_view address) {
  return Network::parse(network).value().contains(parse_address(address).value());
}

TEST(Network, HoldsTheAddressesOfItsPrefix) {
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(contains("192.168.4.0/23", "192.168.5.255"));
  EXPECT_FALSE(contains("192.168.4.0/23", "192.168.6.0"));
  EXPECT_TRUE(contains("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(contains("192.0.2.7", "192.0.2.6"));
  EXPECT_TRUE(contains("fd00::/8", "fd12:3456::1"));
  EXPECT_FALSE(contains("fd00::/8", "fe80::1"));
  EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(contains("::/0", "203.0.113.9"));
}

TEST(Network, RefusesWhatIsNone) {
  for (const auto* text : {"", "10", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/", "10.0.0.1/8", "::/129",
                           "example.org", "10.0.0.0/8/8"}) {
    EXPECT_FALSE(Network::parse(text).has_value()) << text;
  }
  EXPECT_THAT(Network::parse("10.0.0.1/8").error().message, testing::HasSubstr("beyond its prefix"));
}

TEST(Address, KnowsLoopbackInBothFamilies) {
  for (const auto* text : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"})
    EXPECT_TRUE(is_loopback(parse_address(text).value())) << text;
  for (const auto* text : {"128.0.0.1", "::2", "::", "10.0.0.1"})
    EXPECT_FALSE(is_loopback(parse_address(text).value())) << text;
  EXPECT_FALSE(parse_address("").has_value());
}

TEST(Address, OfOneIPv6NetworkAreOneClient) {
  const auto client = [](std::string_view text) { return client_of(parse_address(text).value()); };
  EXPECT_EQ(client("2001:db8:1:2::5"), client("2001:db8:1:2:ffff::6"));
  EXPECT_NE(client("2001:db8:1:2::5"), client("2001:db8:1:3::5"));
  EXPECT_NE(client("203.0.113.1"), client("203.0.113.2"));
}

}  // namespace
}  // namespace imago::access
