// SPDX-License-Identifier: Apache-2.0
// Inside data/: the files of a folder or an archive, one after the other, whatever they are.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace imago::data {

struct SourceLimits {
  std::uint64_t file_bytes = 32U << 20;                ///< a larger file is handed on as refused
  std::uint64_t large_file_bytes = 0;                  ///< of CIFAR-100's batches, where it is more than file_bytes
  std::uint64_t total_bytes = std::uint64_t{1} << 38;  ///< all files together, unpacked
  std::uint64_t files = 20'000'000;
  std::uint64_t ratio = 200;  ///< unpacked to packed, counted once more than ratio_from is unpacked
  std::uint64_t ratio_from = std::uint64_t{256} << 20;

  /// What this file may have.
  [[nodiscard]] std::uint64_t bytes_of(std::string_view path) const;
};

/// Somebody's own data, on purpose.
inline constexpr SourceLimits kImportLimits{.large_file_bytes = 192U << 20};

struct SourceItem {
  enum class Kind { File, Folder, Refused };
  Kind kind = Kind::File;
  std::string path;              ///< relative, '/' between parts, safe
  std::string bytes;             ///< of a File
  std::string reason;            ///< of a Refused
  std::uint64_t bytes_read = 0;  ///< of the source so far, as stored
  std::uint64_t bytes_total = 0;
};

/// An error it returns ends the reading and is passed on.
using OnItem = std::function<Result<void>(SourceItem)>;

/// Calls `on_item` for everything below `folder`: the files of a folder before its folders, sorted by name (10,000 at a
/// time: the list of a large folder is never held). Links to folders are not followed.
Result<void> read_folder(const std::filesystem::path& folder, const SourceLimits& limits, const OnItem& on_item);

/// Calls `on_item` for everything in the archive, in its order, without unpacking to disk (libarchive: tar with gzip,
/// bzip2, xz or zstd; zip). Unsupported when it is none; Corrupt when it is damaged, when a name leads out of it, or
/// beyond the limits.
Result<void> read_archive(const std::filesystem::path& archive, const SourceLimits& limits, const OnItem& on_item);

/// The same for an archive in memory; `name` is for messages.
Result<void> read_archive_bytes(const std::string& name, std::string_view bytes, const SourceLimits& limits,
                                const OnItem& on_item);

/// By its first bytes: zip, tar, or compressed by gzip, bzip2, xz or zstd.
bool looks_like_archive(std::string_view bytes);

/// What systems leave beside images: hidden files, __MACOSX, Thumbs.db.
bool is_clutter(std::string_view path);

/// JSON, and with it the manifest, holds UTF-8 only.
bool is_utf8(const std::string& text);

/// The images that a .csv file lists, as if they lay in folders of their classes. Its first row names the columns: path
/// (or file, filename, file_name, filepath, image), label (or class, category) and, where it has one, split; between
/// them stand commas, semicolons or tabs. However long it is, one row is in memory. Paths are relative to its folder
/// and stay in it; a row whose image is not there is handed on as refused. Corrupt when it is no such table.
Result<void> read_csv(const std::filesystem::path& table, const SourceLimits& limits, const OnItem& on_item);

/// The same for a table in memory, of images in `folder`.
Result<void> read_table(std::string_view text, const std::filesystem::path& folder, const SourceLimits& limits,
                        const OnItem& on_item);

/// The images of an .npz file (see read_npz_splits), or of a .npy file and the one with their labels beside it (see
/// read_npy_splits), as PNG, as if they lay in folders of their splits and classes.
Result<void> read_arrays(const std::filesystem::path& file, const OnItem& on_item);

/// The same of a folder of .npy files.
Result<void> read_array_folder(const std::filesystem::path& folder, const OnItem& on_item);

/// True for a folder of .npy files and nothing else.
bool has_arrays_only(const std::filesystem::path& folder);

/// One of these, by what the file begins with, or its name where that says nothing. NotFound when nothing is there.
Result<void> read_source(const std::filesystem::path& source, const SourceLimits& limits, const OnItem& on_item);

}  // namespace imago::data
