// SPDX-License-Identifier: Apache-2.0
#include "base/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/rng.hpp"

namespace imago {
namespace {

/// The failed system call as an Error with what to do.
tl::unexpected<Error> fail_errno(int number, std::string_view doing, const fs::path& path) {
  switch (number) {
    case ENOENT: return fail(ErrorCode::NotFound, "{} {}: no such file or folder", doing, path.string());
    case EEXIST: return fail(ErrorCode::AlreadyExists, "{} {}: it is there already", doing, path.string());
    case ENOSPC:
    case EDQUOT:
      return fail(ErrorCode::ResourceExhausted, "{} {}: the disk is full; free some space and try again", doing,
                  path.string());
    case EFBIG:
      return fail(ErrorCode::ResourceExhausted, "{} {}: over the file size limit (ulimit -f)", doing, path.string());
    case EACCES:
    case EPERM:
    case EROFS: return fail(ErrorCode::InvalidArgument, "{} {}: {}", doing, path.string(), std::strerror(number));
    default: return fail(ErrorCode::Internal, "{} {}: {}", doing, path.string(), std::strerror(number));
  }
}

Result<void> write_all(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return fail_errno(errno, "writing", path);
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> sync_path(const fs::path& path, int flags) {
  const UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC));
  if (!fd) return fail_errno(errno, "opening", path);
  if (::fsync(fd.get()) != 0) return fail_errno(errno, "syncing", path);
  return {};
}

fs::path parent_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

}  // namespace

Result<std::string> read_file(const fs::path& path, std::uint64_t max_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(errno, "reading", path);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail_errno(errno, "reading", path);
  if (S_ISDIR(status.st_mode)) return fail(ErrorCode::InvalidArgument, "reading {}: it is a folder", path.string());
  if (static_cast<std::uint64_t>(status.st_size) > max_bytes)
    return fail(ErrorCode::ResourceExhausted, "reading {}: {} bytes, at most {}", path.string(), status.st_size,
                max_bytes);
  // To the end and not just st_size: files of /proc say 0, and others may grow meanwhile.
  std::string content(static_cast<std::size_t>(status.st_size) + 1, '\0');
  std::size_t filled = 0;
  for (;;) {
    if (filled > max_bytes)
      return fail(ErrorCode::ResourceExhausted, "reading {}: more than {} bytes", path.string(), max_bytes);
    if (filled == content.size()) content.resize(std::max<std::size_t>(4096, content.size() * 2));
    const ssize_t got = ::read(fd.get(), content.data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "reading", path);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  content.resize(filled);
  return content;
}

Result<void> write_file(const fs::path& path, std::string_view content) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return fail_errno(errno, "writing", path);
  return write_all(fd.get(), content, path);
}

Result<void> write_file_atomic(const fs::path& path, std::string_view content) {
  const fs::path temporary = parent_of(path) / fmt::format(".{}-{}", path.filename().string(), random_hex(6));
  auto written = write_file(temporary, content)
                     .and_then([&] { return sync_path(temporary, O_RDONLY); })
                     .and_then([&]() -> Result<void> {
                       if (::rename(temporary.c_str(), path.c_str()) != 0)
                         return fail_errno(errno, "renaming to", path);
                       return sync_path(parent_of(path), O_RDONLY | O_DIRECTORY);
                     });
  if (!written) ::unlink(temporary.c_str());
  return written;
}

Result<void> publish_directory(const fs::path& staged, const fs::path& final_path) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(staged, error), end; !error && it != end; it.increment(error)) {
    TRY_VOID(sync_path(it->path(), it->is_directory() ? O_RDONLY | O_DIRECTORY : O_RDONLY));
  }
  if (error) return fail_errno(error.value(), "syncing", staged);
  TRY_VOID(sync_path(staged, O_RDONLY | O_DIRECTORY));
  if (fs::exists(final_path, error)) return fail_errno(EEXIST, "publishing", final_path);
  if (::rename(staged.c_str(), final_path.c_str()) != 0) return fail_errno(errno, "publishing", final_path);
  return sync_path(parent_of(final_path), O_RDONLY | O_DIRECTORY);
}

Result<void> make_directories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail_errno(error.value(), "creating", path);
  return {};
}

Result<TemporaryDirectory> TemporaryDirectory::create(const fs::path& parent, std::string_view prefix) {
  TRY_VOID(make_directories(parent));
  const fs::path path = parent / fmt::format(".{}-{}", prefix, random_hex(6));
  if (::mkdir(path.c_str(), 0755) != 0) return fail_errno(errno, "creating", path);
  return TemporaryDirectory(path);
}

TemporaryDirectory::~TemporaryDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;  // nothing better to do than to leave the rest behind
  fs::remove_all(path_, ignored);
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TemporaryDirectory& TemporaryDirectory::operator=(TemporaryDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

void UniqueFd::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<MappedFile> MappedFile::open(const fs::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(errno, "opening", path);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail_errno(errno, "opening", path);
  if (S_ISDIR(status.st_mode)) return fail(ErrorCode::InvalidArgument, "opening {}: it is a folder", path.string());
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return MappedFile(nullptr, 0);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) return fail_errno(errno, "mapping", path);
  return MappedFile(data, size);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

namespace {

Result<UniqueFd> lock_file(const fs::path& path, int operation) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return fail_errno(errno, "opening", path);
  while (::flock(fd.get(), operation) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return fail(ErrorCode::Unavailable, "{} is held by another process", path.string());
    return fail_errno(errno, "locking", path);
  }
  return fd;
}

}  // namespace

Result<FileLock> FileLock::try_lock(const fs::path& path) {
  TRY(auto fd, lock_file(path, LOCK_EX | LOCK_NB));
  return FileLock(std::move(fd));
}

Result<FileLock> FileLock::lock(const fs::path& path) {
  TRY(auto fd, lock_file(path, LOCK_EX));
  return FileLock(std::move(fd));
}

}  // namespace imago
