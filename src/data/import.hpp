// SPDX-License-Identifier: Apache-2.0
// Somebody's images become a data set: read from a folder or archive, each checked by decoding it, split, published.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "data/manifest.hpp"
#include "data/remarks.hpp"
#include "data/repository.hpp"
#include "data/split.hpp"

namespace imago::data {

struct ImportRequest {
  std::string name;              ///< of the data set: [a-z0-9][a-z0-9_-]{0,63}
  std::filesystem::path source;  ///< a folder or an archive; see below
  SplitRatios ratios;
  std::uint64_t seed = 42;
  bool group_duplicates = false;  ///< images that look the same stay on one side of the split; takes longer
  int threads = 0;                ///< that decode; 0: one a core
};

struct ImportProgress {
  std::uint64_t images = 0;      ///< checked so far
  std::uint64_t refused = 0;     ///< of these
  std::uint64_t bytes_read = 0;  ///< of the source, as stored
  std::uint64_t bytes_total = 0;
};
using OnImportProgress = std::function<void(const ImportProgress&)>;  ///< called from one thread, many times a second

/// Files with reasons: all are counted, the first are named.
struct Reasons {
  static constexpr std::size_t kNamed = 100;
  void add(std::string_view path, std::string_view reason);

  std::size_t count = 0;
  ReasonCounts kinds;          ///< how many there are of each kind of reason
  std::vector<Refusal> first;  ///< by path; the version's files have all
};

struct ImportReport {
  std::string version;     ///< `name@version` is what it is called from now on
  bool was_there = false;  ///< the same content had been imported before; nothing changed
  std::size_t kept = 0;
  Reasons refused;              ///< every file of the source that is not in the data set
  std::size_t fixed_files = 0;  ///< of those kept: taken, but not quite as they lay
  Reasons fixed;                ///< what was done to these; one file may have several
  std::vector<std::string> labels;
  std::map<Split, std::vector<std::size_t>> counts;  ///< split -> images of each label
};

/// Split -> images of each label.
std::map<Split, std::vector<std::size_t>> count_images(const Manifest& manifest);

/// Imports `request.source`, which is one of
///
///   - a folder of classes: `cat/1.jpg`, or with splits: `train/cat/1.jpg`, `test/...`, `val/...` or `validation/...`;
///   - a folder of images named by class, as Kaggle's cats and dogs: `cat.0.jpg`, or `train/cat.0.jpg`, `test/...`;
///   - CIFAR-10's or CIFAR-100's official folder: binary (`data_batch_1.bin`..., `train.bin`) or Python
///   (`data_batch_1`..., `train`); stored as PNG, without loss;
///   - a .tar, .tar.gz, .tar.xz, .tar.zst or .zip of one of these. Nothing is unpacked to disk; one enclosing folder is
///   skipped;
///   - a .csv file that lists images with their labels, an .npz file of arrays, or .npy files (data/source.hpp).
///
/// All or nothing: on any error, or once `*stop` is true (Cancelled), the repository is as it was before, apart from a
/// lock file. Every file must decode completely, and what is read is kept on disk: memory does not grow with the number
/// of images, but for some bytes each of the largest class (and, with group_duplicates, of a fingerprint's index). A
/// class folder without an image is InvalidArgument naming it; so are a source without images, fewer than two classes,
/// and ratios out of range. Corrupt when an archive is damaged, reaches outside itself, or unpacks to more than the
/// limits. Unavailable when another import into the repository is running. Importing the same content again gives the
/// same version.
///
/// @param on_progress may be empty.
/// @param stop may be null.
Result<ImportReport> import_dataset(Repository& repository, const ImportRequest& request,
                                    const OnImportProgress& on_progress, const std::atomic<bool>* stop);

}  // namespace imago::data
