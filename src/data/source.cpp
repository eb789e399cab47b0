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

struct Found {
  std::string path;
  SourceItem::Kind kind;
  std::string reason;
  std::uint64_t size = 0;
};

Found examine(const fs::directory_entry& entry, std::string path, const SourceLimits& limits) {
  std::error_code error;
  Found found{std::move(path), SourceItem::Kind::File, {}, 0};
  const auto refuse = [&](std::string reason) {
    found.kind = SourceItem::Kind::Refused;
    found.reason = std::move(reason);
  };
  if (entry.is_directory(error)) {
    found.kind = SourceItem::Kind::Folder;
    if (entry.is_symlink(error)) refuse("a link to a folder");
  } else if (!entry.is_regular_file(error)) {
    refuse("not a file");
  } else {
    found.size = entry.file_size(error);
    const auto most = limits.bytes_of(found.path);
    if (found.size > most) refuse(fmt::format("{} bytes, at most {}", found.size, most));
  }
  if (!is_safe_path(found.path)) refuse("its name has a backslash");
  return found;
}

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
  std::vector<Found> all;
  std::uint64_t total = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    all.push_back(examine(*it, it->path().lexically_relative(folder).generic_string(), limits));
    total += all.back().size;
    if (all.size() > limits.files)
      return fail(ErrorCode::ResourceExhausted, "{} has more than {} files", folder.string(), limits.files);
  }
  if (error) return fail(ErrorCode::InvalidArgument, "reading {}: {}", folder.string(), error.message());
  std::sort(all.begin(), all.end(), [](const Found& a, const Found& b) { return a.path < b.path; });
  std::uint64_t read = 0;
  for (auto& found : all) {
    read += found.size;
    SourceItem item{found.kind, std::move(found.path), {}, std::move(found.reason), read, total};
    if (item.kind == SourceItem::Kind::File) {
      auto bytes = read_file(folder / item.path, limits.bytes_of(item.path));
      if (bytes) {
        item.bytes = std::move(*bytes);
      } else {
        item.kind = SourceItem::Kind::Refused;
        item.reason = std::move(bytes.error().message);
      }
    }
    TRY_VOID(on_item(std::move(item)));
  }
  return {};
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
