// SPDX-License-Identifier: Apache-2.0
// Inside data/: what people send becomes checked pictures with labels, or a reason why not.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "data/uploads.hpp"

namespace imago::data {

/// The label that `given` stands for among `labels` (whatever can be one, when there are none); empty stays empty.
/// InvalidArgument, listing them, when it is none.
Result<std::string> check_label(const std::string& given, const std::vector<std::string>& labels,
                                const std::map<std::string, std::string>& aliases);

/// Writes each sound picture into a folder under a random name and lists it; nothing else is changed anywhere.
class UploadIntake {
 public:
  /// @param labels known ones; empty: any is taken.
  UploadIntake(std::filesystem::path folder, const std::vector<std::string>& labels);

  /// An error ends the whole upload: too many files (InvalidArgument), or the disk fails.
  Result<void> take(const IncomingFile& file);

  [[nodiscard]] UploadReport finish();

 private:
  Result<void> take_file(const std::string& name, const std::string& label, std::string_view bytes);
  Result<void> take_archive(const IncomingFile& file);
  Result<void> take_arrays(const IncomingFile& file);
  Result<void> keep(const std::string& name, const std::string& label, std::string_view bytes);
  Result<void> count_file();
  void refuse(const std::string& name, std::string reason);
  /// Takes back everything accepted since `accepted` had that size.
  void take_back(std::size_t accepted);

  const std::filesystem::path folder_;
  const std::vector<std::string>& labels_;
  const std::map<std::string, std::string> known_aliases_;
  const std::string created_;
  std::size_t files_ = 0;
  std::vector<Upload> accepted_;
  std::vector<std::string> given_;  // what each accepted one's label was called
  std::vector<Refusal> rejected_;
};

}  // namespace imago::data
