// SPDX-License-Identifier: Apache-2.0
// Inside package/: the list of files with their hashes, and the files themselves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace imago::package {

struct FileRecord {
  std::string sha256;
  std::uint64_t bytes = 0;

  friend bool operator==(const FileRecord&, const FileRecord&) = default;
};

/// By path inside the package ("golden/0.jpg"); manifest.json itself is not among them.
using FileRecords = std::map<std::string, FileRecord>;

/// Path inside the package -> size in bytes, of the folder and its golden/, without manifest.json. Corrupt naming what
/// is neither a file nor golden/ (links too: they could lead out of the package) and when there are too many;
/// ResourceExhausted naming what is too big.
Result<std::map<std::string, std::uint64_t>> list_files(const std::filesystem::path& folder);

/// Whether every package has this file; golden images, whose names depend on their format, are not meant here.
bool is_required(std::string_view name);

/// The path of golden image `i`, whatever its format; empty when there is none.
std::string golden_image(const FileRecords& files, int i);

/// InvalidArgument naming the first file that every package has and this one has not.
Result<void> check_complete(const FileRecords& files);

std::string encode_manifest(const FileRecords& files);
/// Corrupt when it is no manifest, Unsupported when it is of a later format.
Result<FileRecords> decode_manifest(std::string_view text);

}  // namespace imago::package
