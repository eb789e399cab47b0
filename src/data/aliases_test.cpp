// SPDX-License-Identifier: Apache-2.0
#include "data/aliases.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace imago::data {
namespace {

const std::vector<std::string> kCifar{"airplane", "automobile", "bird",  "cat",  "deer",
                                      "dog",      "frog",       "horse", "ship", "truck"};

TEST(Aliases, KnowPluralsAndTheOtherNamesOfCifarClasses) {
  const auto aliases = default_aliases(kCifar);
  const std::vector<std::pair<std::string, std::string>> expected{
      {"cats", "cat"},    {"car", "automobile"}, {"cars", "automobile"}, {"plane", "airplane"}, {"boats", "ship"},
      {"puppies", "dog"}, {"deers", "deer"},     {"lorries", "truck"},   {"ponies", "horse"}};
  for (const auto& [alias, label] : expected) {
    ASSERT_TRUE(aliases.contains(alias)) << alias;
    EXPECT_EQ(aliases.at(alias), label);
  }
  for (const auto& label : kCifar) EXPECT_FALSE(aliases.contains(label)) << label;
}

TEST(Aliases, GoFromSingularToALabelInThePlural) {
  const auto aliases = default_aliases(std::vector<std::string>{"cats", "dogs", "berries", "boxes"});
  EXPECT_EQ(aliases.at("cat"), "cats");
  EXPECT_EQ(aliases.at("berry"), "berries");
  EXPECT_EQ(aliases.at("box"), "boxes");
  EXPECT_EQ(aliases.at("puppy"), "dogs");
}

TEST(Aliases, LeaveOutWhatTwoLabelsCouldClaim) {
  const auto aliases = default_aliases(std::vector<std::string>{"car", "automobile", "truck"});
  EXPECT_FALSE(aliases.contains("auto"));
  EXPECT_FALSE(aliases.contains("car"));
  EXPECT_EQ(aliases.at("trucks"), "truck");
}

TEST(Aliases, ResolveNamesWhateverTheirCase) {
  const auto aliases = default_aliases(kCifar);
  EXPECT_EQ(resolve_label("cat", kCifar, aliases), "cat");
  EXPECT_EQ(resolve_label("Cats", kCifar, aliases), "cat");
  EXPECT_EQ(resolve_label("AIRPLANE", kCifar, aliases), "airplane");
  EXPECT_EQ(resolve_label("Car", kCifar, aliases), "automobile");
  EXPECT_EQ(resolve_label("giraffe", kCifar, aliases), std::nullopt);
}

}  // namespace
}  // namespace imago::data
