// SPDX-License-Identifier: Apache-2.0
// Archives, by libarchive, entry by entry. Names and sizes in an archive are somebody else's claims.
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/files.hpp"
#include "data/manifest.hpp"
#include "data/source.hpp"

namespace imago::data {
namespace {

struct ArchiveFree {
  void operator()(archive* handle) const noexcept { archive_read_free(handle); }
};
using Archive = std::unique_ptr<archive, ArchiveFree>;

constexpr std::size_t kBlockBytes = 1U << 18;
constexpr std::uint64_t kUsualRatio = 8;

std::string_view text_of(archive* handle) {
  const char* text = archive_error_string(handle);
  return text != nullptr ? text : "unknown error";
}

/// libarchive hands out names in the locale's encoding, and in the "C" locale that a program starts in none beyond
/// ASCII. While this lives, the thread's is UTF-8.
class Utf8Locale {
 public:
  Utf8Locale() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_ != nullptr) before_ = ::uselocale(locale_);
  }
  ~Utf8Locale() {
    if (locale_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(locale_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t locale_;
  locale_t before_ = nullptr;
};

class ArchiveReader {
 public:
  /// @param name for messages.
  ArchiveReader(std::string name, const SourceLimits& limits)
      : name_(std::move(name)), limits_(limits), handle_(archive_read_new()) {}

  Result<void> open_file(const fs::path& path) {
    std::error_code error;
    stored_bytes_ = fs::file_size(path, error);
    TRY_VOID(choose_formats());
    if (archive_read_open_filename(handle_.get(), path.c_str(), kBlockBytes) != ARCHIVE_OK) return not_an_archive();
    return {};
  }

  Result<void> open_bytes(std::string_view bytes) {
    stored_bytes_ = bytes.size();
    TRY_VOID(choose_formats());
    if (archive_read_open_memory2(handle_.get(), bytes.data(), bytes.size(), kBlockBytes) != ARCHIVE_OK)
      return not_an_archive();
    return {};
  }
  Result<void> read_all(const OnItem& on_item) {
    for (std::uint64_t entries = 0;; ++entries) {
      archive_entry* entry = nullptr;
      const int status = archive_read_next_header(handle_.get(), &entry);
      if (status == ARCHIVE_EOF) return {};
      if (status < ARCHIVE_WARN) return entries == 0 ? not_an_archive() : damaged();
      if (entries >= limits_.files)
        return fail(ErrorCode::Corrupt, "{} has more than {} entries", name_, limits_.files);
      TRY(auto item, read_entry(entry));
      if (!item) continue;
      item->bytes_read = std::min(
          static_cast<std::uint64_t>(std::max<la_int64_t>(archive_filter_bytes(handle_.get(), -1), 0)), stored_bytes_);
      item->bytes_total = stored_bytes_;
      TRY_VOID(on_item(std::move(*item)));
    }
  }

 private:
  Result<void> choose_formats() {
    if (!handle_) return fail(ErrorCode::ResourceExhausted, "no memory to read {}", name_);
    archive* handle = handle_.get();
    // Only filters inside the library: the others would run programs.
    archive_read_support_filter_gzip(handle);
    archive_read_support_filter_bzip2(handle);
    archive_read_support_filter_xz(handle);
    archive_read_support_filter_zstd(handle);
    archive_read_support_format_tar(handle);
    // By its directory at the end: read from the front, a zip cut short between two files would pass for whole.
    archive_read_support_format_zip_seekable(handle);
    return {};
  }

  [[nodiscard]] tl::unexpected<Error> damaged() const {
    return fail(ErrorCode::Corrupt, "{} is damaged: {}", name_, text_of(handle_.get()));
  }
  [[nodiscard]] tl::unexpected<Error> not_an_archive() const {
    return fail(ErrorCode::Unsupported,
                "{} is no archive we read (.tar, .tar.gz, .tar.bz2, .tar.xz, .tar.zst, .zip), or damaged: {}", name_,
                text_of(handle_.get()));
  }

  /// The entry's name without leading "./" and trailing "/"; empty for the root itself.
  Result<std::string> name_of(archive_entry* entry) const {
    const char* name = archive_entry_pathname_utf8(entry);
    if (name == nullptr) name = archive_entry_pathname(entry);
    if (name == nullptr) return fail(ErrorCode::Corrupt, "{} has an entry without a name", name_);
    std::string_view path(name);
    while (path.starts_with("./")) path.remove_prefix(2);
    if (path == ".") path = {};
    while (path.ends_with('/')) path.remove_suffix(1);
    if (path.empty() || is_safe_path(path)) return std::string(path);
    return fail(ErrorCode::Corrupt, "{} has an entry named '{}', which leads out of it: not read any further", name_,
                name);
  }

  /// Nothing for the root folder.
  Result<std::optional<SourceItem>> read_entry(archive_entry* entry) {
    SourceItem item;
    TRY(item.path, name_of(entry));
    const auto type = archive_entry_filetype(entry);
    if (item.path.empty()) return std::nullopt;
    if (type == AE_IFDIR) {
      item.kind = SourceItem::Kind::Folder;
    } else if (type != AE_IFREG || archive_entry_hardlink(entry) != nullptr) {
      item.kind = SourceItem::Kind::Refused;
      item.reason = "a link or device";
    } else if (archive_entry_is_encrypted(entry) != 0) {
      item.kind = SourceItem::Kind::Refused;
      item.reason = "encrypted";
    } else {
      TRY_VOID(read_content(entry, item));
    }
    return item;
  }

  Result<void> read_content(archive_entry* entry, SourceItem& item) {
    const std::uint64_t most = limits_.bytes_of(item.path);
    const auto claimed = archive_entry_size_is_set(entry) != 0 ? std::max<la_int64_t>(archive_entry_size(entry), 0) : 0;
    // At once what pixels are packed to at most, or growing would hold them twice; beyond that a claim is believed when
    // it comes.
    item.bytes.reserve(
        static_cast<std::size_t>(std::min({static_cast<std::uint64_t>(claimed), most, kUsualRatio * stored_bytes_})));
    std::uint64_t size = 0;
    for (;;) {
      const void* block = nullptr;
      std::size_t length = 0;
      la_int64_t offset = 0;
      const int status = archive_read_data_block(handle_.get(), &block, &length, &offset);
      if (status == ARCHIVE_EOF) break;
      if (status != ARCHIVE_OK) return damaged();  // libarchive only warns of a zip's wrong checksum
      // A sparse file has holes between its blocks; they count, or a hole of a terabyte would come for free.
      const std::uint64_t before = size;
      size = std::max(size, static_cast<std::uint64_t>(std::max<la_int64_t>(offset, 0)) + length);
      TRY_VOID(count(size > most ? length : std::max<std::uint64_t>(size - before, length)));
      if (size > most) continue;  // read on, to get past it
      item.bytes.resize(static_cast<std::size_t>(size) - length, '\0');
      item.bytes.append(static_cast<const char*>(block), length);
    }
    if (size > most) {
      item.kind = SourceItem::Kind::Refused;
      item.bytes = {};
      item.reason = fmt::format("{} bytes, at most {}", size, most);
    }
    return {};
  }

  Result<void> count(std::uint64_t length) {
    unpacked_ += length;
    const auto packed = static_cast<std::uint64_t>(std::max<la_int64_t>(archive_filter_bytes(handle_.get(), -1), 1));
    if (unpacked_ > limits_.total_bytes)
      return fail(ErrorCode::Corrupt, "{} unpacks to more than {} bytes: refused", name_, limits_.total_bytes);
    if (unpacked_ > limits_.ratio_from && unpacked_ / limits_.ratio > packed)
      return fail(ErrorCode::Corrupt, "{} unpacks to more than {} times its size: refused as a bomb", name_,
                  limits_.ratio);
    return {};
  }

  const std::string name_;
  const SourceLimits& limits_;
  Archive handle_;
  std::uint64_t stored_bytes_ = 0;
  std::uint64_t unpacked_ = 0;
};

}  // namespace

Result<void> read_archive(const fs::path& path, const SourceLimits& limits, const OnItem& on_item) {
  const Utf8Locale locale;
  ArchiveReader reader(path.string(), limits);
  TRY_VOID(reader.open_file(path));
  return reader.read_all(on_item);
}

Result<void> read_archive_bytes(const std::string& name, std::string_view bytes, const SourceLimits& limits,
                                const OnItem& on_item) {
  const Utf8Locale locale;
  ArchiveReader reader(name, limits);
  TRY_VOID(reader.open_bytes(bytes));
  return reader.read_all(on_item);
}

bool looks_like_archive(std::string_view bytes) {
  constexpr std::string_view kXz(
      "\xFD"
      "7zXZ\0",
      6);
  for (const std::string_view magic :
       {std::string_view("PK\3\4"), std::string_view("PK\5\6"), std::string_view("\x1F\x8B"), std::string_view("BZh"),
        kXz, std::string_view("\x28\xB5\x2F\xFD")})
    if (bytes.starts_with(magic)) return true;
  return bytes.size() >= 512 && bytes.substr(257, 5) == "ustar";
}

}  // namespace imago::data
