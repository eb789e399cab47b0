// SPDX-License-Identifier: Apache-2.0
#include "data/source.hpp"

#include <algorithm>
#include <fstream>
#include <vector>

#include "base/files.hpp"
#include "base/npy.hpp"
#include "data/arrays.hpp"
#include "data/cifar.hpp"
#include "data/manifest.hpp"
#include "json/json.hpp"

namespace imago::data {
namespace {

constexpr std::size_t kSortedTogether = 10'000;

struct Extent {
  std::uint64_t files = 0, bytes = 0;
};

/// What is below `folder`, counted but not kept.
Result<Extent> measure(const fs::path& folder, const SourceLimits& limits) {
  Extent all;
  std::error_code error, ignored;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->is_regular_file(ignored)) all.bytes += it->file_size(ignored);
    if (++all.files > limits.files)
      return fail(ErrorCode::ResourceExhausted, "{} has more than {} files", folder.string(), limits.files);
  }
  if (error) return fail(ErrorCode::InvalidArgument, "reading {}: {}", folder.string(), error.message());
  return all;
}

/// Hands on what is below a folder, some thousand names at a time.
class FolderReader {
 public:
  FolderReader(const fs::path& root, const SourceLimits& limits, std::uint64_t total, const OnItem& on_item)
      : root_(root), limits_(limits), total_(total), on_item_(on_item) {}

  /// @param inside the folder's path from the root; empty: the root.
  Result<void> read(const std::string& inside) {
    std::vector<std::string> names, folders;
    std::error_code error;
    fs::directory_iterator it(root_ / inside, error), end;
    while (!error && it != end) {
      names.clear();
      for (; !error && it != end && names.size() < kSortedTogether; it.increment(error))
        names.push_back(it->path().filename().string());
      std::sort(names.begin(), names.end());
      for (const auto& name : names) TRY_VOID(hand_on(inside.empty() ? name : inside + "/" + name, folders));
    }
    if (error) return fail(ErrorCode::InvalidArgument, "reading {}: {}", (root_ / inside).string(), error.message());
    std::sort(folders.begin(), folders.end());
    for (const auto& folder : folders) TRY_VOID(read(folder));
    return {};
  }

 private:
  Result<void> hand_on(std::string path, std::vector<std::string>& folders) {
    const fs::directory_entry entry(root_ / path);
    std::error_code error;
    SourceItem item{.path = std::move(path), .bytes_total = total_};
    const auto refuse = [&](std::string reason) {
      item.kind = SourceItem::Kind::Refused;
      item.reason = std::move(reason);
    };
    if (!is_safe_path(item.path)) {
      refuse("its name has a backslash");
    } else if (entry.is_directory(error)) {
      if (entry.is_symlink(error)) {
        refuse("a link to a folder");
      } else {
        item.kind = SourceItem::Kind::Folder;
        folders.push_back(item.path);
      }
    } else if (!entry.is_regular_file(error)) {
      refuse("not a file");
    } else if (const auto size = entry.file_size(error), most = limits_.bytes_of(item.path); size > most) {
      read_ += size;
      refuse(fmt::format("{} bytes, at most {}", size, most));
    } else {
      read_ += size;
      auto bytes = read_file(entry.path(), most);
      if (bytes)
        item.bytes = std::move(*bytes);
      else
        refuse(std::move(bytes.error().message));
    }
    item.bytes_read = read_;
    return on_item_(std::move(item));
  }

  const fs::path& root_;
  const SourceLimits& limits_;
  const std::uint64_t total_;
  const OnItem& on_item_;
  std::uint64_t read_ = 0;
};

/// What a file's kind shows in; less where there is less.
std::string first_bytes(const fs::path& file) {
  std::string bytes(512, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

}  // namespace

std::uint64_t SourceLimits::bytes_of(std::string_view path) const {
  return is_large_cifar_file(path) ? std::max(file_bytes, large_file_bytes) : file_bytes;
}

Result<void> read_folder(const fs::path& folder, const SourceLimits& limits, const OnItem& on_item) {
  TRY(const auto all, measure(folder, limits));
  return FolderReader(folder, limits, all.bytes, on_item).read({});
}

bool is_clutter(std::string_view path) {
  return path.starts_with('.') || path.find("/.") != std::string_view::npos || path.starts_with("__MACOSX") ||
         path.ends_with("Thumbs.db");
}

bool is_utf8(const std::string& text) {
  const auto back = json::parse(json::dump(json::Value(text)));
  return back && back->is_string() && back->get_ref<const std::string&>() == text;
}

Result<void> read_source(const fs::path& source, const SourceLimits& limits, const OnItem& on_item) {
  std::error_code error;
  if (fs::is_directory(source, error))
    return has_arrays_only(source) ? read_array_folder(source, on_item) : read_folder(source, limits, on_item);
  if (!fs::is_regular_file(source, error))
    return fail(ErrorCode::NotFound, "{} is neither a folder nor a file", source.string());
  const auto head = first_bytes(source);
  if (looks_like_npy(head) || looks_like_npz(head)) return read_arrays(source, on_item);
  const auto kind = source.extension();  // a table begins like any text, and an .npz may begin with any member
  if (kind == ".npz" || kind == ".npy") return read_arrays(source, on_item);
  if (!looks_like_archive(head) && (kind == ".csv" || kind == ".tsv")) return read_csv(source, limits, on_item);
  return read_archive(source, limits, on_item);
}

}  // namespace imago::data
