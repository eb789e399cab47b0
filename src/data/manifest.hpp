// SPDX-License-Identifier: Apache-2.0
// What a data set is: a list of images by content, their labels and their splits. Immutable: its version is the hash of
// its rows. docs/formats/dataset.md has the files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "json/json.hpp"

namespace imago::data {

enum class Split { Train, Validation, Test };
std::string_view to_string(Split split) noexcept;  ///< "train", "validation", "test"
Result<Split> split_from(std::string_view name);   ///< "val" too

struct Entry {
  std::string path;    ///< as it came: "train/cat/0001.jpg"; unique, relative, '/' between parts
  std::string sha256;  ///< of the encoded bytes; also their name in the object store
  int label = 0;       ///< index into Manifest::labels
  Split split = Split::Train;
  int width = 0;
  int height = 0;
  std::string source;  ///< where it came from: "cifar-10-images.tar.zst"
};

struct Manifest {
  std::string name;                 ///< [a-z0-9][a-z0-9_-]{0,63}
  std::vector<std::string> labels;  ///< sorted unless the source names an order
  std::vector<Entry> entries;       ///< sorted by path
  std::string parent;               ///< version this one came from; empty for a first import

  [[nodiscard]] std::vector<std::size_t> indices(Split split) const;  ///< of the entries in `split`, in order
};

/// A manifest's first line.
struct ManifestHeader {
  std::string name;
  std::vector<std::string> labels;
  std::string parent;
  std::size_t entries = 0;
};

/// InvalidArgument, saying what is allowed, when `name` cannot name a data set.
Result<void> check_name(std::string_view name);

/// Relative, '/' between parts, no empty, "." or ".." part, no backslash: may be joined to a folder without leaving it.
bool is_safe_path(std::string_view path);

/// First 12 hex digits of the sha256 of the labels and of each row's path, content, label and split: the same content
/// has the same version, wherever it came from.
std::string version_of(const Manifest& manifest);

/// The same, fed row by row.
class VersionHash {
 public:
  explicit VersionHash(const std::vector<std::string>& labels);
  void add(const Entry& entry);
  /// The version; the object is then spent.
  std::string finish();

 private:
  void feed(std::string_view text);
  Sha256 hash_;
};

/// One JSON line, without a line feed.
std::string encode_header(const ManifestHeader& header);
std::string encode_row(const Entry& entry);
/// One JSON line a row after a header line.
std::string encode_manifest(const Manifest& manifest);
/// Of the first line alone. Errors as below.
Result<ManifestHeader> decode_manifest_header(std::string_view line);
/// Corrupt, naming the line, unless every row is sound and all are there; Unsupported formats too.
Result<Manifest> decode_manifest(std::string_view text);

}  // namespace imago::data
