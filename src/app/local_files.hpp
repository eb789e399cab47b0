// SPDX-License-Identifier: Apache-2.0
// Files of this machine on their way into the uploads.
#pragma once

#include <string>
#include <vector>

#include "base/files.hpp"
#include "data/uploads.hpp"

namespace imago::app {

/// Files to be sent in, mapped into memory, each under the name that tells its class.
class LocalFiles {
 public:
  /// Adds a file (image, archive, .npz), or everything below a folder. In a folder, `cat/1.jpg` names its class; a file
  /// that was named itself, or lies in the folder itself, is of the class of its folder when `labels` knows that name,
  /// and of none otherwise. NotFound when there is no such path, InvalidArgument for a folder without files, and for
  /// more than data::kMaxUploadFiles in all.
  Result<void> add(const std::string& path, const std::vector<std::string>& labels);

  /// Gives every file this label.
  void set_label(const std::string& label);

  /// Valid as long as this object.
  [[nodiscard]] const std::vector<data::IncomingFile>& files() const { return files_; }
  /// What was passed over: hidden files and what cannot be read.
  [[nodiscard]] const std::vector<data::Refusal>& skipped() const { return skipped_; }

 private:
  Result<void> add_file(const fs::path& path, std::string name);

  std::vector<MappedFile> open_;
  std::vector<data::IncomingFile> files_;
  std::vector<data::Refusal> skipped_;
};

}  // namespace imago::app
