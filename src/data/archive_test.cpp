// SPDX-License-Identifier: Apache-2.0
#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>

#include <memory>

#include "data/source.hpp"
#include "data/test_data.hpp"

namespace imago::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Files = std::vector<std::pair<std::string, std::string>>;

class ArchiveTest : public testing::FolderTest {
 protected:
  /// Writes `files` in one of libarchive's formats and filters.
  fs::path write(const std::string& name, int format, int filter, const Files& files) const {
    const auto path = folder() / name;
    archive* out = archive_write_new();
    EXPECT_EQ(archive_write_set_format(out, format), ARCHIVE_OK);
    EXPECT_EQ(archive_write_add_filter(out, filter), ARCHIVE_OK);
    EXPECT_EQ(archive_write_open_filename(out, path.c_str()), ARCHIVE_OK);
    for (const auto& [file, bytes] : files) {
      archive_entry* entry = archive_entry_new();
      archive_entry_set_pathname(entry, file.c_str());
      archive_entry_set_filetype(entry, bytes == "->" ? AE_IFLNK : AE_IFREG);
      archive_entry_set_perm(entry, 0644);
      if (bytes == "->") {
        archive_entry_set_symlink(entry, "/etc/passwd");
      } else {
        archive_entry_set_size(entry, static_cast<la_int64_t>(bytes.size()));
      }
      EXPECT_EQ(archive_write_header(out, entry), ARCHIVE_OK);
      const auto written = bytes == "->" ? 2 : archive_write_data(out, bytes.data(), bytes.size());
      EXPECT_EQ(written, static_cast<la_ssize_t>(bytes.size()));
      archive_entry_free(entry);
    }
    EXPECT_EQ(archive_write_free(out), ARCHIVE_OK);
    return path;
  }

  Result<void> read(const fs::path& path, const SourceLimits& limits = {}) {
    seen.clear();
    return read_archive(path, limits, [&](SourceItem item) {
      seen.push_back(item.path + (item.kind == SourceItem::Kind::Refused ? " refused: " + item.reason
                                                                         : " = " + item.bytes.substr(0, 20)));
      return Result<void>();
    });
  }

  std::vector<std::string> seen;
};

TEST_F(ArchiveTest, ReadsEveryKindWithoutUnpacking) {
  const Files files{{"cat/1.txt", "one"}, {"dog/sub/2.txt", std::string(100'000, 'x')}};
  const std::vector<std::tuple<std::string, int, int>> kinds{
      {"a.tar", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE},
      {"a.tar.gz", ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_GZIP},
      {"a.tar.bz2", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_BZIP2},
      {"a.tar.xz", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_XZ},
      {"a.tar.zst", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_ZSTD},
      {"a.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE}};
  for (const auto& [name, format, filter] : kinds) {
    const auto path = write(name, format, filter, files);
    const auto result = read(path);
    ASSERT_TRUE(result) << name << ": " << result.error().message;
    ASSERT_EQ(seen.size(), 2U) << name;
    EXPECT_EQ(seen[0], "cat/1.txt = one");
    EXPECT_EQ(seen[1], "dog/sub/2.txt = " + std::string(20, 'x'));
  }
}

/// zipfile of Python 3.11: one stored file.
std::string stored_zip() {
  constexpr std::string_view kHex =
      "504b030414000008000000002150f1866c7a03000000030000000a000000e78b972fc3a42e7478746f6e65504b0102140314"
      "000008000000002150f1866c7a03000000030000000a0000000000000000000000800100000000e78b972fc3a42e74787450"
      "4b05060000000001000100380000002b0000000000";
  std::string bytes;
  for (std::size_t i = 0; i < kHex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(kHex.substr(i, 2)), nullptr, 16));
  return bytes;
}

TEST_F(ArchiveTest, ReadsNamesBeyondAsciiInAnyLocale) {
  put("a.zip", stored_zip());
  const auto result = read(folder() / "a.zip");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_THAT(seen, ElementsAre("\xE7\x8B\x97/\xC3\xA4.txt = one"));
}

TEST_F(ArchiveTest, RefusesAZipWhoseChecksumIsWrong) {
  auto bytes = stored_zip();
  bytes.replace(bytes.find("one"), 3, "two");
  put("a.zip", bytes);
  const auto result = read(folder() / "a.zip");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::Corrupt);
  EXPECT_THAT(result.error().message, HasSubstr("is damaged: ZIP bad CRC"));
  EXPECT_TRUE(seen.empty());
}

TEST_F(ArchiveTest, NeverFollowsALink) {
  const auto path = write("links.tar", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE,
                          {{"cat/passwd.png", "->"}, {"cat/1.txt", "one"}});
  ASSERT_TRUE(read(path));
  EXPECT_THAT(seen, ElementsAre("cat/passwd.png refused: a link or device", "cat/1.txt = one"));
}

TEST_F(ArchiveTest, RefusesAZipThatReachesOutsideItself) {
  const auto path = write("evil.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, {{"../evil.png", "x"}});
  const auto result = read(path);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::Corrupt);
  EXPECT_THAT(result.error().message, HasSubstr("'../evil.png', which leads out of it"));
}

TEST_F(ArchiveTest, PassesOverAFileThatIsTooLargeAndSaysSo) {
  const auto path = write("a.tar", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE,
                          {{"small", "12345"}, {"large", std::string(5000, 'x')}, {"last", "6"}});
  ASSERT_TRUE(read(path, {.file_bytes = 1000}));
  EXPECT_THAT(seen, ElementsAre("small = 12345", "large refused: 5000 bytes, at most 1000", "last = 6"));
  EXPECT_THAT(read(path, {.total_bytes = 4000}).error().message, HasSubstr("more than 4000 bytes"));
  EXPECT_THAT(read(path, {.files = 1}).error().message, HasSubstr("more than 1 entries"));
}

TEST_F(ArchiveTest, RefusesABomb) {
  const Files zeros{{"zeros", std::string(8 << 20, '\0')}};
  for (const auto& path : {write("bomb.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, zeros),
                           write("bomb.tar.zst", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_ZSTD, zeros)}) {
    const auto result = read(path, {.ratio_from = 1 << 20});
    ASSERT_FALSE(result) << path;
    EXPECT_EQ(result.error().code, ErrorCode::Corrupt);
    EXPECT_THAT(result.error().message, HasSubstr("refused as a bomb"));
  }
}

TEST_F(ArchiveTest, CountsTheHolesOfSparseFiles) {
  const auto path = folder() / "holes.tar";
  archive* out = archive_write_new();
  ASSERT_EQ(archive_write_set_format_pax(out), ARCHIVE_OK);
  ASSERT_EQ(archive_write_open_filename(out, path.c_str()), ARCHIVE_OK);
  for (const char* name : {"a", "b", "c"}) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, 1'000'001);
    archive_entry_sparse_add_entry(entry, 1'000'000, 1);
    EXPECT_EQ(archive_write_header(out, entry), ARCHIVE_OK);
    const std::string bytes(1'000'001, '\0');
    EXPECT_GT(archive_write_data(out, bytes.data(), bytes.size()), 0);
    archive_entry_free(entry);
  }
  ASSERT_EQ(archive_write_free(out), ARCHIVE_OK);
  ASSERT_LT(fs::file_size(path), 100'000U);
  EXPECT_TRUE(read(path, {.total_bytes = 3'100'000}));
  EXPECT_THAT(read(path, {.total_bytes = 2'500'000}).error().message, HasSubstr("more than 2500000 bytes"));
  EXPECT_TRUE(read(path, {.file_bytes = 1000, .total_bytes = 1000})) << "holes that are not kept cost nothing";
}

TEST_F(ArchiveTest, RefusesEveryTruncationOfACompressedArchive) {
  std::string noise;
  for (unsigned i = 0; i < 3000; ++i) noise += static_cast<char>(i * i * 2654435761U >> 24);
  for (const auto& [name, filter] : {std::pair("a.tar.gz", ARCHIVE_FILTER_GZIP),
                                     {"a.tar.zst", ARCHIVE_FILTER_ZSTD},
                                     {"a.tar.xz", ARCHIVE_FILTER_XZ}}) {
    const auto whole =
        read_file(write(name, ARCHIVE_FORMAT_TAR_USTAR, filter, {{"cat/1", noise}, {"dog/2", noise}})).value();
    for (std::size_t size = 0; size < whole.size() / 2; size += 37) {
      put("cut", whole.substr(0, size));
      EXPECT_FALSE(read(folder() / "cut")) << name << " cut at " << size << " of " << whole.size();
    }
  }
}

}  // namespace
}  // namespace imago::data
