// SPDX-License-Identifier: Apache-2.0
#include "serve/version_policy.hpp"

#include <gtest/gtest.h>

namespace imago::serve {
namespace {

TEST(VersionPolicy, ReadsWhatModelSays) {
  const auto kind = [](const char* text) { return parse_version_policy(text).value().kind; };
  EXPECT_EQ(kind("pets"), VersionPolicy::Kind::Reference);
  EXPECT_EQ(kind("pets:3"), VersionPolicy::Kind::Reference);
  EXPECT_EQ(kind("pets@champion"), VersionPolicy::Kind::Reference);
  EXPECT_EQ(kind("pets@all"), VersionPolicy::Kind::All);
  EXPECT_EQ(parse_version_policy("pets@latest=3").value().latest, 3);
  EXPECT_EQ(parse_version_policy("pets@1,12").value().versions, (std::set<int>{1, 12}));
  for (const char* text : {"", "@3", "Pets", "../pets", "pets@latest=0", "pets@latest=", "pets@latest=x", "pets@1,",
                           "pets@1,x", "pets@1,0", "pets@1,99999999999"}) {
    EXPECT_EQ(parse_version_policy(text).error().code, ErrorCode::InvalidArgument) << text;
  }
}

}  // namespace
}  // namespace imago::serve
