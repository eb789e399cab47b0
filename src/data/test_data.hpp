// SPDX-License-Identifier: Apache-2.0
// What the tests of data/ share: a folder that goes, small pictures, archives written on the spot.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "base/files.hpp"
#include "base/source_dir.hpp"
#include "image/encode.hpp"

namespace imago::data::testing {

/// A test with a folder of its own, and a way to fill it.
class FolderTest : public ::testing::Test {
 protected:
  FolderTest() : temporary_(TemporaryDirectory::create(fs::temp_directory_path(), "imago-data-test").value()) {}

  [[nodiscard]] fs::path folder() const { return temporary_.path(); }

  void put(const fs::path& path, std::string_view bytes) const {
    ASSERT_TRUE(make_directories((folder() / path).parent_path()));
    ASSERT_TRUE(write_file(folder() / path, bytes));
  }

 private:
  TemporaryDirectory temporary_;
};

/// A PNG of one colour; another `seed`, other bytes.
inline std::string picture(int seed, int width = 8, int height = 6) {
  image::Image image{width, height, {}};
  for (std::size_t i = 0; i < image.pixels(); ++i) {
    image.rgb.push_back(static_cast<std::uint8_t>(seed));
    image.rgb.push_back(static_cast<std::uint8_t>(seed / 256));
    image.rgb.push_back(static_cast<std::uint8_t>(i));
  }
  return image::encode_png(image).value();
}

/// A tar archive (POSIX ustar) of files; a path that ends in '/' is a folder.
inline std::string tar_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string archive;
  for (const auto& [path, bytes] : files) {
    std::string header(512, '\0');
    header.replace(0, path.size(), path);
    header.replace(100, 7, "0000644");
    header.replace(124, 11, fmt::format("{:011o}", bytes.size()));
    header.replace(136, 11, "00000000000");
    header[156] = path.ends_with('/') ? '5' : '0';
    header.replace(257, 8, std::string("ustar\00000", 8));
    header.replace(148, 8, "        ");
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    header.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    archive += header + bytes;
    archive.resize((archive.size() + 511) / 512 * 512, '\0');
  }
  return archive + std::string(1024, '\0');
}

/// A zip archive of files, in memory, by libarchive.
inline std::string zip_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string bytes(1U << 20, '\0');
  for (const auto& [path, content] : files) bytes.resize(bytes.size() + path.size() * 2 + content.size() + 512);
  std::size_t used = 0;
  archive* out = archive_write_new();
  archive_write_set_format_zip(out);
  EXPECT_EQ(archive_write_open_memory(out, bytes.data(), bytes.size(), &used), ARCHIVE_OK);
  for (const auto& [path, content] : files) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, path.c_str());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    EXPECT_EQ(archive_write_header(out, entry), ARCHIVE_OK);
    EXPECT_EQ(archive_write_data(out, content.data(), content.size()), static_cast<la_ssize_t>(content.size()));
    archive_entry_free(entry);
  }
  EXPECT_EQ(archive_write_free(out), ARCHIVE_OK);
  bytes.resize(used);
  return bytes;
}

/// The development data, or an empty path.
inline fs::path shared_data() {
  const char* given = std::getenv("IMAGO_DATA");
  const fs::path place = given != nullptr ? fs::path(given) : fs::path(source_dir()) / ".." / "shared" / "data";
  return fs::exists(place) ? place : fs::path();
}

}  // namespace imago::data::testing
