// SPDX-License-Identifier: Apache-2.0
// Where the well-known data sets are: on this machine, or at their official address.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace imago::data {

/// What `imago data import` takes by its name alone.
inline constexpr std::array<std::string_view, 4> kNamed{"cifar10", "cifar100", "cats-dogs", "shapes"};

/// done and total bytes; total is 0 while unknown.
using OnDownload = std::function<void(std::uint64_t done, std::uint64_t total)>;

struct Locate {
  std::filesystem::path
      from;  ///< `--from`: a file or folder of the data set, or a folder that has one; empty: not given
  std::filesystem::path downloads;  ///< where a download is put and found again; empty: do not download
  OnDownload on_download;           ///< may be empty
  const std::atomic<bool>* stop = nullptr;
};

struct Located {
  std::filesystem::path path;  ///< what import_dataset takes
  std::string found;  ///< for people: "--from", "$IMAGO_DATA", "../shared/data", "an earlier download", "download"
};

/// CIFAR-10 as cifar-10-images.tar.zst, cifar-10-binary.tar.gz, cifar-10-python.tar.gz, or unpacked
/// (cifar-10-batches-bin, cifar-10-batches-py, or a folder with train/ and test/). Looks at `from`, $IMAGO_DATA,
/// ../shared/data beside the current folder and beside the project the executable lies in, `downloads`, and then
/// downloads cifar-10-binary.tar.gz from its official address. When `from` is given nothing else is looked at. NotFound
/// when `from` has none; Unavailable when nobody could be reached (after about five seconds), with a message that says
/// where was looked; Corrupt when the download's checksum is wrong; Cancelled by `stop`.
Result<Located> locate_cifar10(const Locate& where);

/// The same for CIFAR-100: cifar-100-binary.tar.gz, cifar-100-python.tar.gz, or unpacked.
Result<Located> locate_cifar100(const Locate& where);

/// Cats and dogs as cats-dogs.tar or a folder with cat/ and dog/. The same places, but there is no download: NotFound.
Result<Located> locate_cats_dogs(const Locate& where);

/// A file of that name in one of the same places. NotFound says where was looked.
Result<Located> locate_file(const std::string& name, const Locate& where);

struct Download {
  std::string url;
  std::string sha256;  ///< 64 hex digits
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::seconds stall_timeout{30};  ///< given up when nothing arrives for so long
};

/// Gets a file whole or not at all: into `target`.part, then checked and renamed. An existing .part is continued where
/// the server allows it. No-op when `target` is there. Unavailable when the server cannot be reached or breaks off (the
/// .part stays), Corrupt when the checksum is wrong (the .part goes), Cancelled by `stop` (the .part stays).
Result<void> download(const Download& what, const std::filesystem::path& target, const OnDownload& on_progress,
                      const std::atomic<bool>* stop);

}  // namespace imago::data
