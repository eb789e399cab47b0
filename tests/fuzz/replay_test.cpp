// SPDX-License-Identifier: Apache-2.0
// What fuzzers found once, through the targets they found it with. scripts/fuzz finds more; this keeps it fixed.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/source_dir.hpp"
#include "fuzz/target.hpp"

namespace imago::fuzz {
namespace {

const fs::path kRegressions = fs::path(source_dir()) / "tests/fuzz/regressions";

std::vector<fs::path> sorted(const fs::path& folder) {
  std::vector<fs::path> paths;
  if (fs::exists(folder))
    for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

class FuzzTarget : public ::testing::TestWithParam<Target> {};

TEST_P(FuzzTarget, TakesNothingAndEveryByteAlone) {
  GetParam().run({});
  for (int byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(byte);
    GetParam().run({&text, 1});
  }
}

TEST_P(FuzzTarget, TakesWhatOnceBrokeIt) {
  for (const auto& path : sorted(kRegressions / GetParam().name)) {
    SCOPED_TRACE(path.string());
    const auto input = read_file(path);
    ASSERT_TRUE(input) << input.error().message;
    GetParam().run(*input);
  }
}

std::vector<Target> by_name() {
  auto all = targets();
  std::ranges::sort(all, {}, &Target::name);
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, FuzzTarget, ::testing::ValuesIn(by_name()),
                         [](const auto& target) { return std::string(target.param.name); });

TEST(FuzzRegressions, EachFolderHasATarget) {
  std::set<std::string> names;
  for (const auto& target : targets()) names.emplace(target.name);
  for (const auto& folder : sorted(kRegressions)) EXPECT_TRUE(names.contains(folder.filename().string())) << folder;
}

}  // namespace
}  // namespace imago::fuzz
