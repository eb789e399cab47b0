// SPDX-License-Identifier: Apache-2.0
// Images that people send in, on their way into the next version of a data set: checked, stored under random names,
// labelled or not, until a retraining takes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "data/manifest.hpp"
#include "data/repository.hpp"
#include "store/database.hpp"

namespace imago::data {

inline constexpr std::size_t kMaxUploadFiles = 10'000;

struct Upload {
  std::string id;     ///< "u4f0c9a1b2d3e4f50": random; also its file's name
  std::string name;   ///< as the client called it; shown, never opened
  std::string label;  ///< one of the labels; empty: nobody said yet
  std::string sha256;
  std::uint64_t bytes = 0;
  int width = 0, height = 0;
  std::string created;  ///< RFC 3339
  std::string dataset;  ///< NAME@VERSION that took it; empty while it is staged
};

struct IncomingFile {
  std::string name;   ///< "cat/image1.jpg": without a label of its own, its folder names it
  std::string label;  ///< as the client spelt it; may be empty
  std::string_view bytes;
};

struct AliasUse {
  std::string given, label;
  std::size_t files = 0;
};

struct UploadReport {
  std::vector<Upload> accepted;
  std::vector<Refusal> rejected;
  std::vector<AliasUse> aliases;  ///< spellings that were taken for a label: car -> automobile
};

/// Files in `folder`, rows in `database`. Safe from any thread; survives kill -9 at any moment: a file without a row is
/// swept away when the next process opens the folder, a row is written only after its file is on disk.
class Uploads {
 public:
  Uploads(store::Database& database, std::filesystem::path folder);

  /// Takes what is sound. Images (by content) are kept as they are; tar, tar.gz, tar.zst, zip are opened and each
  /// member taken like a file (its folder is its label); .npz with x_new and y_new (or x/y, images/labels: uint8 or
  /// float in [0, 1], [n, h, w, 3]; class indices or names) becomes PNG images. Refused, with the reason: what does not
  /// decode, a label that `labels` does not know (the reason lists them), a name with "..", an absolute path, over the
  /// limits. An archive that is damaged, a bomb or reaches outside itself is refused whole. All or nothing on an I/O
  /// error. The limits: 32 MiB a file; kMaxUploadFiles in one call, unpacked ones too: beyond that InvalidArgument,
  /// and nothing is taken.
  ///
  /// @param labels of the model or data set this is for; empty: any label is taken.
  Result<UploadReport> add(const std::vector<IncomingFile>& files, const std::vector<std::string>& labels);

  /// Staged ones, oldest first; `labelled` tells whether with a label, without, or both.
  Result<std::vector<Upload>> staged(std::optional<bool> labelled = std::nullopt);
  /// NotFound naming the first id that is not there or was used already.
  Result<std::vector<Upload>> find(const std::vector<std::string>& ids);
  /// The encoded image. NotFound as above.
  Result<std::string> read(const std::string& id);
  /// InvalidArgument when `labels` does not know `label`; NotFound as above. An empty label takes it away.
  Result<Upload> set_label(const std::string& id, const std::string& label, const std::vector<std::string>& labels);
  Result<void> remove(const std::string& id);

 private:
  friend Result<struct Extension> extend_dataset(Repository&, Uploads&, const std::string&,
                                                 const std::vector<std::string>&);
  store::Database& database_;
  std::filesystem::path folder_;
};

/// A data set's next version: the parent's rows and, of the uploads, each that is new.
struct Extension {
  Manifest manifest;
  std::string version;           ///< the parent's own when nothing was new
  std::size_t added = 0;         ///< of the uploads, those that are in it now
  std::vector<Refusal> refused;  ///< already there; or in the test split, where training must not see it
};

/// Adds labelled uploads to the newest version of `dataset` (or NAME@VERSION) as training images under
/// "uploads/ID.EXT" (of a class with ten or more new images about one in ten, by hash, as validation images, when it
/// has such a split), test split untouched, and marks them used, the refused ones too. Doing it again with the same ids
/// gives the same version and report: a job that is repeated after a crash changes nothing. Waits while an import is
/// running. InvalidArgument, before anything is changed, for an upload without a label, with one the data set does not
/// have, or used for another data set.
Result<Extension> extend_dataset(Repository& repository, Uploads& uploads, const std::string& dataset,
                                 const std::vector<std::string>& ids);

}  // namespace imago::data
