// SPDX-License-Identifier: Apache-2.0
#include "pipeline/check_dataset.hpp"

#include <gtest/gtest.h>

#include <map>

namespace imago::pipeline {
namespace {

data::Manifest labelled(int images, int classes) {
  data::Manifest manifest;
  for (int c = 0; c < classes; ++c) manifest.labels.push_back(fmt::format("class{}", c));
  for (int i = 0; i < images; ++i)
    manifest.entries.push_back({.path = fmt::format("{}.png", i),
                                .sha256 = fmt::format("{:064x}", i),
                                .label = i % classes,
                                .split = data::Split::Train,
                                .source = ""});
  return manifest;
}

TEST(Folds, SpreadEveryLabelEvenly) {
  const auto manifest = labelled(1000, 7);
  const auto folds = assign_folds(manifest, 5, 1);
  std::map<std::pair<int, int>, int> counts;
  for (std::size_t i = 0; i < folds.size(); ++i) ++counts[{manifest.entries[i].label, folds[i]}];
  ASSERT_EQ(counts.size(), 35);
  for (const auto& [where, n] : counts) {
    EXPECT_GE(n, 28);
    EXPECT_LE(n, 29);
  }
}

TEST(Folds, KeepCopiesTogetherWhateverTheirLabels) {
  auto manifest = labelled(100, 2);
  for (std::size_t i = 0; i < 50; ++i) manifest.entries[i + 50].sha256 = manifest.entries[i].sha256;
  manifest.entries[50].label = 1 - manifest.entries[0].label;
  const auto folds = assign_folds(manifest, 5, 1);
  for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(folds[i], folds[i + 50]);
}

TEST(Folds, AreTheSameAgainWithTheSameSeedAndOthersWithAnother) {
  const auto manifest = labelled(200, 4);
  EXPECT_EQ(assign_folds(manifest, 5, 3), assign_folds(manifest, 5, 3));
  EXPECT_NE(assign_folds(manifest, 5, 3), assign_folds(manifest, 5, 4));
}

}  // namespace
}  // namespace imago::pipeline
