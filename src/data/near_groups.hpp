// SPDX-License-Identifier: Apache-2.0
// Inside data/: which images of an import look the same.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/error.hpp"
#include "data/line_file.hpp"
#include "data/perceptual_hash.hpp"

namespace imago::data {

/// The group, from 1, of each content (by its sha256) that looks like another.
using NearGroups = std::unordered_map<std::string, std::uint32_t>;

/// Fingerprints, kept in a file until all are there.
class FingerprintFile {
 public:
  static Result<std::unique_ptr<FingerprintFile>> create(const std::filesystem::path& folder);

  /// Safe from any thread.
  Result<void> add(const std::string& sha256, const Fingerprint& print);
  /// As `imago data check` finds near copies; near to near is one group. Cancelled when `stop` is set.
  Result<NearGroups> find_groups(const std::atomic<bool>* stop);

 private:
  FingerprintFile(std::filesystem::path path, LineFile file) : path_(std::move(path)), file_(std::move(file)) {}

  const std::filesystem::path path_;
  std::mutex mutex_;  // guards file_
  LineFile file_;
};

}  // namespace imago::data
