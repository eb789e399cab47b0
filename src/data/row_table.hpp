// SPDX-License-Identifier: Apache-2.0
// Inside data/: the files that an import has seen, on disk, so that a million of them take no more memory than ten.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "data/layout.hpp"
#include "data/manifest.hpp"
#include "data/near_groups.hpp"
#include "data/split.hpp"
#include "store/scratch.hpp"

namespace imago::data {

/// A file that decoded.
struct CheckedFile {
  std::string path;
  std::string sha256;
  int width = 0;
  int height = 0;
  unsigned remarks = 0;  ///< bits of data/remarks.hpp
};

class RowTable {
 public:
  /// Keeps its files in `folder`, which somebody else removes.
  static Result<std::unique_ptr<RowTable>> create(const std::filesystem::path& folder);

  // While the source is read; safe from any thread.

  /// Takes note of a path, which lies in place `place`; false when it came before.
  Result<bool> reserve(const std::string& path, std::size_t place);
  /// The file with a reserved path is an image.
  Result<void> keep(const CheckedFile& file);
  /// A file that is not taken. Its path may be a reserved one.
  Result<void> refuse(std::string_view path, std::string_view reason);
  [[nodiscard]] std::uint64_t kept() const;
  [[nodiscard]] std::uint64_t refused() const;

  // Then, from one thread.

  /// Images in each place: as many numbers as there are places.
  Result<std::vector<std::size_t>> images_by_place(std::size_t places);
  /// Gives every image the label and split of its place; those of places with an objection are refused.
  Result<void> lay_out(const std::vector<Place>& places);
  /// Whether an image has this split.
  Result<bool> has(Split split);
  /// Calls `on_class` for each label with what is in training; its answer is the split of each content.
  Result<void> assign(const NearGroups& groups,
                      const std::function<std::vector<Split>(const ClassContents&)>& on_class);

  /// Every image, sorted by path; of its Entry, `source` is empty. `skip` leading characters of the path are left out.
  Result<void> each_entry(std::size_t skip, const std::function<Result<void>(Entry&)>& on_entry);
  /// Every refused file, sorted by path.
  Result<void> each_refusal(const std::function<Result<void>(std::string_view path, std::string_view reason)>& on_file);
  /// Every image with remarks, sorted by path.
  Result<void> each_remark(const std::function<Result<void>(std::string_view path, unsigned remarks)>& on_file);

 private:
  explicit RowTable(store::Scratch scratch) : scratch_(std::move(scratch)) {}
  Result<std::int64_t> number(std::string_view sql);

  mutable std::mutex mutex_;  // guards all, while there are threads
  store::Scratch scratch_;
  store::Statement reserve_, keep_, refuse_;
  std::uint64_t kept_ = 0, refused_ = 0;
};

}  // namespace imago::data
