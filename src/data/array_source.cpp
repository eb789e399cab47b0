// SPDX-License-Identifier: Apache-2.0
// Images in NumPy's arrays, handed on one by one.
#include "base/files.hpp"
#include "base/npy.hpp"
#include "data/arrays.hpp"
#include "data/source.hpp"
#include "image/encode.hpp"

namespace imago::data {
namespace {

/// Image `i` as a file in the folder of its class.
Result<SourceItem> item_of(Split split, const ArrayImages& images, std::size_t i) {
  SourceItem item;
  const auto label = images.label(i);
  if (!label || !is_safe_path(*label) || label->find('/') != std::string::npos) {
    item.kind = SourceItem::Kind::Refused;
    item.path = fmt::format("{}/{:06}", to_string(split), i);
    item.reason = label ? fmt::format("'{}' cannot be a label", *label) : label.error().message;
    return item;
  }
  item.path = fmt::format("{}/{}/{:06}.png", to_string(split), *label, i);
  TRY(item.bytes, image::encode_png(images.image(i)));
  return item;
}

Result<void> hand_on(const ArraySet& set, const OnItem& on_item) {
  std::uint64_t done = 0, total = 0;
  for (const auto& [split, images] : set.splits) total += images.size();
  for (const auto& [split, images] : set.splits) {
    for (std::size_t i = 0; i < images.size(); ++i) {
      TRY(auto item, item_of(split, images, i));
      item.bytes_read = ++done;
      item.bytes_total = total;
      TRY_VOID(on_item(std::move(item)));
    }
  }
  for (const auto& name : set.unused)
    TRY_VOID(on_item({SourceItem::Kind::Refused, name, {}, "not one of the arrays that were taken", done, total}));
  return {};
}

}  // namespace

Result<void> read_arrays(const fs::path& file, const OnItem& on_item) {
  TRY(const auto mapped, MappedFile::open(file));
  TRY(const auto set, looks_like_npy(as_text(mapped.bytes()))
                          ? read_npy_splits(file)
                          : read_npz_splits(file.filename().string(), as_text(mapped.bytes())));
  return hand_on(set, on_item);
}

Result<void> read_array_folder(const fs::path& folder, const OnItem& on_item) {
  TRY(const auto set, read_npy_splits(folder));
  return hand_on(set, on_item);
}

bool has_arrays_only(const fs::path& folder) {
  bool any = false;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (is_clutter(it->path().filename().string())) continue;
    if (it->path().extension() != ".npy" || !it->is_regular_file(error)) return false;
    any = true;
  }
  return any && !error;
}

}  // namespace imago::data
