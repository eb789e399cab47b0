// SPDX-License-Identifier: Apache-2.0
// Files that are there whole or not at all, and handles that close themselves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"

namespace imago {

namespace fs = std::filesystem;

inline Bytes as_bytes(std::string_view text) { return {reinterpret_cast<const std::byte*>(text.data()), text.size()}; }
inline std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// The whole file. NotFound, ResourceExhausted when it has more than `max_bytes`, Internal when reading fails.
Result<std::string> read_file(const fs::path& path, std::uint64_t max_bytes = std::uint64_t{1} << 32);

/// Writes to a temporary name beside `path`, syncs, renames, syncs the folder: after a crash there is the old file or
/// the new one. ResourceExhausted when the disk is full; then nothing is left behind.
Result<void> write_file_atomic(const fs::path& path, std::string_view content);

/// Writes without sync or rename: for files inside a folder that is published later by publish_directory.
Result<void> write_file(const fs::path& path, std::string_view content);

/// Syncs every file of `staged`, renames it to `final_path` (which must not exist), syncs the parent: the folder
/// appears whole or not at all. AlreadyExists when it is there.
Result<void> publish_directory(const fs::path& staged, const fs::path& final_path);

/// Creates the folder and its parents.
Result<void> make_directories(const fs::path& path);

/// A folder that goes, with all in it, when this object does. For work in progress and for tests.
class TemporaryDirectory {
 public:
  /// A new folder `parent/.prefix-RANDOM`.
  static Result<TemporaryDirectory> create(const fs::path& parent, std::string_view prefix);
  ~TemporaryDirectory();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&& other) noexcept;

  [[nodiscard]] const fs::path& path() const { return path_; }
  /// Keeps the folder: it has been renamed, or belongs to somebody else now.
  void release() { path_.clear(); }

 private:
  explicit TemporaryDirectory(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

/// An open file descriptor; -1 is none.
class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) noexcept : fd_(fd) {}
  ~UniqueFd() { reset(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset(int fd = -1) noexcept;

 private:
  int fd_;
};

/// A file mapped into memory for reading.
class MappedFile {
 public:
  static Result<MappedFile> open(const fs::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  /// Valid as long as this object.
  [[nodiscard]] Bytes bytes() const { return {static_cast<const std::byte*>(data_), size_}; }

 private:
  MappedFile(void* data, std::size_t size) : data_(data), size_(size) {}
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Held while this object lives; another process that asks waits or is refused. Freed by the kernel when we die.
class FileLock {
 public:
  /// Unavailable when somebody else holds it.
  static Result<FileLock> try_lock(const fs::path& path);
  static Result<FileLock> lock(const fs::path& path);

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace imago
