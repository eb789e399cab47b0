// SPDX-License-Identifier: Apache-2.0
// A data set as files that any tool can read: SPLIT/LABEL/FILE, in a folder or a tar archive.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>

#include "base/error.hpp"
#include "data/manifest.hpp"
#include "data/repository.hpp"

namespace imago::data {

struct ExportReport {
  std::size_t files = 0;
  std::uint64_t bytes = 0;
};
using OnExport = std::function<void(std::size_t done, std::size_t total)>;  ///< may be empty

/// Writes the images of `split`, or of all splits, byte for byte, under the last part of their path; where two of one
/// class have the same, the later ones get part of their sha256 too. `target` is a folder, which must not be there or
/// be empty, or, by its name, a .tar archive, which must not be there. The same content gives the same bytes: times and
/// owners in the archive are zero, files sorted. All or nothing.
///
/// AlreadyExists when something is at `target`; InvalidArgument when there is nothing to write, or a label cannot name
/// a folder; Cancelled by `stop`.
Result<ExportReport> export_dataset(const Repository& repository, const Manifest& manifest, std::optional<Split> split,
                                    const std::filesystem::path& target, const OnExport& on_progress,
                                    const std::atomic<bool>* stop);

}  // namespace imago::data
