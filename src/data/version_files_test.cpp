// SPDX-License-Identifier: Apache-2.0
#include "data/version_files.hpp"

#include "base/hash.hpp"
#include "data/test_data.hpp"

namespace imago::data {
namespace {

using VersionFilesTest = testing::FolderTest;

TEST_F(VersionFilesTest, AreByteForByteWhatAManifestInMemoryIs) {
  Manifest manifest{"pets", {"cat", "dog"}, {}, "0123456789ab"};
  manifest.entries = {{"cat/1.png", sha256("one"), 0, Split::Train, 8, 6, "pets"},
                      {"dog/\xC3\xA4.png", sha256("two"), 1, Split::Test, 9, 7, "pets"}};
  auto files = VersionFiles::create(folder() / "version", {"pets", manifest.labels, manifest.parent, 2}).value();
  for (const auto& entry : manifest.entries) ASSERT_TRUE(files.add(entry));
  ASSERT_TRUE(files.add_refused("x\xFF.png", "its name is not UTF-8"));
  ASSERT_TRUE(files.add_fixed("cat/1.png", "turned"));
  EXPECT_EQ(files.finish().value(), version_of(manifest));
  EXPECT_EQ(read_file(folder() / "version" / "manifest.jsonl").value(), encode_manifest(manifest));
  EXPECT_EQ(read_file(folder() / "version" / "fixed.jsonl").value(),
            "{\"path\":\"cat/1.png\",\"reason\":\"turned\"}\n");
}

TEST(LineFileTest, SaysWhenTheDiskIsFull) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  auto file = LineFile::create("/dev/full").value();
  auto written = file.write(std::string(1U << 20, 'x'));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::ResourceExhausted);
  auto small = LineFile::create("/dev/full").value();
  ASSERT_TRUE(small.write("x")) << "it fits the buffer";
  EXPECT_EQ(small.close().error().code, ErrorCode::ResourceExhausted);
}

}  // namespace
}  // namespace imago::data
