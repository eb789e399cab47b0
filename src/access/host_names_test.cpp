// SPDX-License-Identifier: Apache-2.0
#include "access/host_names.hpp"

#include <gtest/gtest.h>

namespace imago::access {
namespace {

TEST(HostNames, KnowTheseWhateverThePort) {
  for (const auto* host :
       {"localhost", "localhost:8000", "LOCALHOST:1", "localhost.", "localhost.:80", "imago.localhost:8000",
        "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:8000", "192.168.1.7:8000", "[fd00::1]:80"})
    EXPECT_TRUE(is_known_host(host, {})) << host;
}

TEST(HostNames, KnowNoOthers) {
  for (const auto* host : {"",
                           ":8000",
                           ":",
                           "evil.example",
                           "evil.example:8000",
                           "localhost.evil.example",
                           "127.0.0.1.evil.example",
                           "notlocalhost",
                           ".localhost.evil",
                           "localhost:8000, evil.example",
                           "evil.example, localhost",
                           "evil.example, a.localhost",
                           "localhost:80:80",
                           "localhost@evil.example",
                           "localhost:x",
                           "[::1",
                           "::1]",
                           "[localhost",
                           "127.0.0.1 ",
                           "2130706433",
                           "[]",
                           "[",
                           "]:",
                           "[:80"})
    EXPECT_FALSE(is_known_host(host, {})) << host;
}

TEST(HostNames, KnowThoseThatWereNamed) {
  const std::vector<std::string> names{"Imago.example.org", ".lab.example"};
  for (const auto* host :
       {"imago.example.org", "IMAGO.example.org:8000", "lab.example", "a.lab.example:1", "a.b.lab.example."})
    EXPECT_TRUE(is_known_host(host, names)) << host;
  for (const auto* host : {"example.org", "x.imago.example.org", "evillab.example", "lab.example.evil"})
    EXPECT_FALSE(is_known_host(host, names)) << host;
  EXPECT_TRUE(is_known_host("any.thing", {"*"}));
}

TEST(HostNames, AreRefusedWhenTheyCannotBeOne) {
  for (const auto* name : {"imago.example.org", ".example.org", "camera-1", "*"})
    EXPECT_TRUE(check_host_name(name)) << name;
  for (const auto* name : {"", ".", "imago:8000", "http://imago", "imago/", "a b", "*.example.org"})
    EXPECT_FALSE(check_host_name(name)) << name;
}

}  // namespace
}  // namespace imago::access
