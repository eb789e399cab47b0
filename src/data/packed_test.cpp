// SPDX-License-Identifier: Apache-2.0
#include "data/packed.hpp"

#include <gmock/gmock.h>

#include "data/test_data.hpp"
#include "image/decode.hpp"

namespace imago::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Packed : public testing::FolderTest {
 protected:
  Packed() : repository(folder()) {
    manifest = {"set", {"a", "b"}, {}, {}};
    for (int i = 0; i < 150; ++i)
      manifest.entries.push_back({fmt::format("{:03}", i), repository.put_object(testing::picture(i)).value(), i % 2,
                                  i < 140 ? Split::Train : Split::Test, 8, 6, ""});
  }
  Repository repository;
  Manifest manifest;
};

TEST_F(Packed, HoldsEveryImageOfTheSplitAsDecodingGivesIt) {
  const image::Preprocess preprocess{.width = 4, .height = 3};
  std::size_t reported = 0;
  const auto packed =
      open_packed(repository, manifest, Split::Train, preprocess, [&](std::size_t done, std::size_t total) {
        EXPECT_EQ(total, 140U);
        reported = done;
      });
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_EQ(reported, 140U);
  ASSERT_EQ(packed->size(), 140U);
  for (std::size_t i = 0; i < packed->size(); ++i) {
    const auto expected = image::decode_and_resize(as_bytes(testing::picture(static_cast<int>(i))), preprocess);
    ASSERT_THAT(packed->image(i), ::testing::ElementsAreArray(expected->rgb));
    EXPECT_EQ(packed->label(i), static_cast<int>(i % 2));
  }
  const auto test = open_packed(repository, manifest, Split::Test, preprocess, {});
  ASSERT_TRUE(test);
  EXPECT_EQ(test->entry(0), 140U);
}

TEST_F(Packed, GivesASubsetThatSharesThePixels) {
  const image::Preprocess preprocess{.width = 4, .height = 3};
  const std::vector<std::size_t> images{139, 3, 3};
  const auto part = [&] {
    const auto whole = open_packed(repository, manifest, Split::Train, preprocess, {}).value();
    const auto made = whole.subset(images);
    EXPECT_EQ(made.image(1).data(), whole.image(3).data());
    return made;  // outlives what it was made from
  }();
  ASSERT_EQ(part.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto expected = image::decode_and_resize(as_bytes(testing::picture(static_cast<int>(images[i]))), preprocess);
    EXPECT_THAT(part.image(i), ::testing::ElementsAreArray(expected->rgb));
    EXPECT_EQ(part.label(i), static_cast<int>(images[i] % 2));
    EXPECT_EQ(part.entry(i), images[i]);
  }
  EXPECT_EQ(part.subset(std::vector<std::size_t>{0}).entry(0), 139U);
}

TEST_F(Packed, IsANumpyFileAndIsNotBuiltTwice) {
  const image::Preprocess preprocess{.width = 8, .height = 6};
  ASSERT_TRUE(open_packed(repository, manifest, Split::Test, preprocess, {}));
  const auto file = folder() / "cache" / fmt::format("{}-test-8x6-stretch.npy", version_of(manifest));
  const auto bytes = read_file(file).value();
  // numpy.load reads this header: magic, version 1.0, length 118 so that the pixels begin at 128.
  EXPECT_EQ(bytes.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_THAT(bytes.substr(10, 118), HasSubstr("{'descr': '|u1', 'fortran_order': False, 'shape': (10, 6, 8, 3), }"));
  EXPECT_EQ(bytes.size(), 128U + 10 * 6 * 8 * 3);
  bool built = false;
  ASSERT_TRUE(
      open_packed(repository, manifest, Split::Test, preprocess, [&](std::size_t, std::size_t) { built = true; }));
  EXPECT_FALSE(built);
  ASSERT_TRUE(write_file(file, bytes.substr(0, 500)));  // damaged: built again
  const auto again = open_packed(repository, manifest, Split::Test, preprocess, {});
  ASSERT_TRUE(again);
  EXPECT_EQ(read_file(file).value(), bytes);
}

TEST_F(Packed, BuildsAnotherCacheForChangedContent) {
  const image::Preprocess preprocess{.width = 8, .height = 6};
  const auto before = open_packed(repository, manifest, Split::Test, preprocess, {}).value();
  manifest.entries[145].sha256 = repository.put_object(testing::picture(999)).value();
  const auto after = open_packed(repository, manifest, Split::Test, preprocess, {}).value();
  const auto expected = image::decode_and_resize(as_bytes(testing::picture(999)), preprocess);
  EXPECT_THAT(after.image(5), ::testing::ElementsAreArray(expected->rgb));
  EXPECT_THAT(before.image(5), ::testing::Not(::testing::ElementsAreArray(expected->rgb)));
  EXPECT_THAT(after.image(4), ::testing::ElementsAreArray(before.image(4)));
}

TEST_F(Packed, TakesNothingFromABuildThatWasInterrupted) {
  const image::Preprocess preprocess{.width = 8, .height = 6};
  const auto name = fmt::format("{}-test-8x6-stretch.npy", version_of(manifest));
  const auto left = folder() / "cache" / ".packing-0123456789ab";  // as a killed build leaves it
  ASSERT_TRUE(make_directories(left));
  ASSERT_TRUE(write_file(left / name, std::string(128 + 10 * 6 * 8 * 3, '\0')));
  const auto packed = open_packed(repository, manifest, Split::Test, preprocess, {});
  ASSERT_TRUE(packed) << packed.error().message;
  const auto expected = image::decode_and_resize(as_bytes(testing::picture(140)), preprocess);
  EXPECT_THAT(packed->image(0), ::testing::ElementsAreArray(expected->rgb));
}

TEST_F(Packed, NamesAnImageThatCannotBeReadAndLeavesNoCache) {
  ASSERT_TRUE(write_file(repository.object_path(manifest.entries[77].sha256), "damaged"));
  const auto packed = open_packed(repository, manifest, Split::Train, {}, {});
  ASSERT_FALSE(packed);
  EXPECT_EQ(packed.error().code, ErrorCode::Corrupt);
  EXPECT_THAT(packed.error().message, HasSubstr("packing 077"));
  EXPECT_TRUE(fs::is_empty(folder() / "cache"));
}

TEST_F(Packed, RefusesASplitWithoutImages) {
  EXPECT_THAT(open_packed(repository, manifest, Split::Validation, {}, {}).error().message,
              HasSubstr("no validation split"));
}

}  // namespace
}  // namespace imago::data
