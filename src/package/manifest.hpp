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

/// Of manifest.json itself.
inline constexpr std::uint64_t kMaxManifestBytes = std::uint64_t{1} << 20;

struct FileRecord {
  std::string sha256;
  std::uint64_t bytes = 0;

  friend bool operator==(const FileRecord&, const FileRecord&) = default;
};

/// By path inside the package ("golden/0.jpg"); manifest.json itself is not among them.
using FileRecords = std::map<std::string, FileRecord>;

/// Which files a package has: all of them, or those that the others follow from (docs/formats/package.md).
enum class Form { Whole, Compact };

struct Manifest {
  Form form = Form::Whole;
  FileRecords files;

  friend bool operator==(const Manifest&, const Manifest&) = default;
};

inline constexpr std::uint64_t kMaxInputBytes = std::uint64_t{256} << 20;  ///< 8 images of up to 1672 x 1672

/// Path inside the package -> size in bytes, of the folder and its golden/, without manifest.json. Corrupt naming what
/// is neither a file nor golden/ (links too: they could lead out of the package) and when there are too many;
/// ResourceExhausted naming what is too big.
Result<std::map<std::string, std::uint64_t>> list_files(const std::filesystem::path& folder);

/// Whether every package of this form has this file; golden images, whose names depend on their format, are not meant
/// here.
bool is_required(std::string_view name, Form form);

/// The path of golden image `i`, whatever its format; empty when there is none.
std::string golden_image(const FileRecords& files, int i);

/// InvalidArgument naming the first file that every package of this form has and this one has not, or the first that a
/// compact one may not have.
Result<void> check_complete(const Manifest& manifest);

std::string encode_manifest(const Manifest& manifest);
/// Corrupt when it is no manifest, Unsupported when it is of a later format or another form than these.
Result<Manifest> decode_manifest(std::string_view text);

/// The manifest of the files that are there now, complete, written. InvalidArgument naming a file that is missing.
Result<void> write_manifest(const std::filesystem::path& folder, Form form);

/// What the files that every package has and its golden images hold, but for the network's two, which are as large as
/// they like: hashed and read from the same bytes, so that nothing can change in between.
using Contents = std::map<std::string, std::string>;

/// A folder whose files are those of its manifest.
struct VerifiedFiles {
  Manifest manifest;
  std::string digest;  ///< of the manifest
  Contents contents;
};
/// Corrupt naming the file that is missing, extra or altered; else as list_files and decode_manifest.
Result<VerifiedFiles> read_verified(const std::filesystem::path& folder);

}  // namespace imago::package
