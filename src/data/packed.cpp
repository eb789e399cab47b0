// SPDX-License-Identifier: Apache-2.0
#include "data/packed.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>

#include "base/npy.hpp"
#include "image/decode.hpp"

namespace imago::data {
namespace {

using OnProgress = std::function<void(std::size_t, std::size_t)>;

struct Shape {
  std::size_t images = 0;
  int width = 0;
  int height = 0;
  [[nodiscard]] std::size_t item() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
  }
};

fs::path cache_path(const Repository& repository, const Manifest& manifest, Split split,
                    const image::Preprocess& preprocess) {
  const auto fit = preprocess.fit == image::Fit::Stretch ? "stretch" : "crop";
  return repository.folder() / "cache" /
         fmt::format("{}-{}-{}x{}-{}.npy", version_of(manifest), to_string(split), preprocess.width, preprocess.height,
                     fit);
}

/// A cache that is not exactly what would be built now is as good as none.
std::optional<MappedFile> open_cache(const fs::path& path, const std::string& header, std::size_t bytes) {
  auto file = MappedFile::open(path);
  if (!file || file->bytes().size() != bytes || !as_text(file->bytes()).starts_with(header)) return std::nullopt;
  return std::move(*file);
}

tl::unexpected<Error> fail_write(const fs::path& path) {
  const auto code = errno == ENOSPC || errno == EDQUOT ? ErrorCode::ResourceExhausted : ErrorCode::Internal;
  return fail(code, "writing {}: {}", path.string(), std::strerror(errno));
}

Result<void> write_at(int fd, const void* data, std::size_t size, std::size_t offset, const fs::path& path) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::pwrite(fd, bytes, size, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_write(path);
    bytes += written;
    offset += static_cast<std::size_t>(written);
    size -= static_cast<std::size_t>(written);
  }
  return {};
}

/// Writes the cache file from several threads, each image where it belongs.
class Packing {
 public:
  Packing(const Repository& repository, const Manifest& manifest, const std::vector<std::size_t>& entries,
          const image::Preprocess& preprocess, int fd, std::size_t offset, const fs::path& path)
      : repository_(repository),
        manifest_(manifest),
        entries_(entries),
        preprocess_(preprocess),
        fd_(fd),
        offset_(offset),
        path_(path) {}

  Result<void> run(const OnProgress& on_progress) {
    const auto helpers = std::max(1U, std::thread::hardware_concurrency()) - 1;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < helpers; ++i) threads.emplace_back([this] { work({}); });
    work(on_progress);
    for (auto& thread : threads) thread.join();
    if (failure_) return tl::unexpected<Error>(std::move(*failure_));
    if (on_progress) on_progress(entries_.size(), entries_.size());
    return {};
  }

 private:
  void work(const OnProgress& on_progress) {
    constexpr std::size_t kStride = 64;
    for (std::size_t first = next_.fetch_add(kStride); first < entries_.size(); first = next_.fetch_add(kStride)) {
      if (on_progress) on_progress(first, entries_.size());
      if (auto packed = pack(first, std::min(kStride, entries_.size() - first)); !packed) {
        const std::scoped_lock lock(mutex_);
        if (!failure_) failure_ = std::move(packed.error());
        next_ = entries_.size();
      }
    }
  }

  /// Small images are written together; a large one at once, from where it was decoded.
  Result<void> pack(std::size_t first, std::size_t count) {
    constexpr std::size_t kTogether = std::size_t{128} << 10;
    std::vector<std::uint8_t> pixels;
    std::size_t written = first;
    for (std::size_t i = first; i < first + count; ++i) {
      const Entry& entry = manifest_.entries[entries_[i]];
      auto image = load(entry);
      if (!image) return pass(image, fmt::format("packing {}", entry.path));
      const std::size_t item = image->rgb.size();
      if (pixels.empty()) {
        pixels = std::move(image->rgb);
      } else {
        pixels.insert(pixels.end(), image->rgb.begin(), image->rgb.end());
      }
      if (pixels.size() < kTogether && i + 1 < first + count) continue;
      TRY_VOID(write_at(fd_, pixels.data(), pixels.size(), offset_ + written * item, path_));
      written = i + 1;
      pixels.clear();
    }
    return {};
  }

  Result<image::Image> load(const Entry& entry) const {
    TRY(const auto bytes, repository_.read_object(entry.sha256));
    return image::decode_and_resize(as_bytes(bytes), preprocess_);
  }

  const Repository& repository_;
  const Manifest& manifest_;
  const std::vector<std::size_t>& entries_;
  const image::Preprocess& preprocess_;
  const int fd_;
  const std::size_t offset_;
  const fs::path& path_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;  // guards failure_
  std::optional<Error> failure_;
};

Result<void> build_cache(const Repository& repository, const Manifest& manifest,
                         const std::vector<std::size_t>& entries, const image::Preprocess& preprocess,
                         const std::string& header, const fs::path& path, const OnProgress& on_progress) {
  TRY(const auto folder, TemporaryDirectory::create(path.parent_path(), "packing"));
  const auto temporary = folder.path() / path.filename();
  const UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd) return fail_write(temporary);
  TRY_VOID(write_at(fd.get(), header.data(), header.size(), 0, temporary));
  TRY_VOID(Packing(repository, manifest, entries, preprocess, fd.get(), header.size(), temporary).run(on_progress));
  // Its header and length alone tell later that it is good, so its bytes must be down before its name appears.
  if (::fdatasync(fd.get()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) return fail_write(path);
  return {};
}

}  // namespace

std::span<const std::uint8_t> PackedSplit::image(std::size_t i) const {
  EXPECTS(i < labels_.size(), "image index within the split");
  const auto item = static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_) * 3;
  return {reinterpret_cast<const std::uint8_t*>(file_->bytes().data()) + offset_ + rows_[i] * item, item};
}

PackedSplit PackedSplit::subset(std::span<const std::size_t> images) const {
  PackedSplit part;
  part.file_ = file_;
  part.offset_ = offset_;
  part.width_ = width_;
  part.height_ = height_;
  for (const std::size_t i : images) {
    EXPECTS(i < labels_.size(), "image index within the split");
    part.rows_.push_back(rows_[i]);
    part.labels_.push_back(labels_[i]);
    part.entries_.push_back(entries_[i]);
  }
  return part;
}

Result<PackedSplit> open_packed(const Repository& repository, const Manifest& manifest, Split split,
                                const image::Preprocess& preprocess, const OnProgress& on_progress) {
  PackedSplit packed;
  packed.entries_ = manifest.indices(split);
  if (packed.entries_.empty())
    return fail(ErrorCode::InvalidArgument, "data set '{}' has no {} split", manifest.name, to_string(split));
  for (const std::size_t i : packed.entries_) packed.labels_.push_back(manifest.entries[i].label);
  const Shape shape{packed.entries_.size(), preprocess.width, preprocess.height};
  const auto header = npy_header("|u1", {static_cast<std::int64_t>(shape.images), shape.height, shape.width, 3});
  const auto path = cache_path(repository, manifest, split, preprocess);
  const std::size_t bytes = header.size() + shape.images * shape.item();
  auto file = open_cache(path, header, bytes);
  if (!file) {
    TRY_VOID(build_cache(repository, manifest, packed.entries_, preprocess, header, path, on_progress));
    file = open_cache(path, header, bytes);
    if (!file) return fail(ErrorCode::Internal, "{} cannot be opened though it was just written", path.string());
  }
  packed.file_ = std::make_shared<const MappedFile>(std::move(*file));
  packed.rows_.resize(packed.entries_.size());
  std::iota(packed.rows_.begin(), packed.rows_.end(), std::size_t{0});
  packed.offset_ = header.size();
  packed.width_ = preprocess.width;
  packed.height_ = preprocess.height;
  return packed;
}

}  // namespace imago::data
