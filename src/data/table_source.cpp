// SPDX-License-Identifier: Apache-2.0
// Images that a table lists: rows of a .csv file, or of NumPy's arrays.
#include <algorithm>
#include <optional>
#include <vector>

#include "base/files.hpp"
#include "data/arrays.hpp"
#include "data/manifest.hpp"
#include "data/source.hpp"
#include "image/encode.hpp"

namespace imago::data {
namespace {

constexpr std::uint64_t kMaxTableBytes = std::uint64_t{256} << 20;

using Row = std::vector<std::string>;

/// One row of RFC 4180; false at the end. Corrupt for a quote that never closes.
Result<bool> next_row(std::string_view& text, Row& row) {
  row.clear();
  while (text.starts_with('\n') || text.starts_with("\r\n")) text.remove_prefix(text.front() == '\r' ? 2 : 1);
  if (text.empty()) return false;
  for (;;) {
    std::string field;
    if (text.starts_with('"')) {
      for (text.remove_prefix(1);; text.remove_prefix(1)) {
        const auto quote = text.find('"');
        if (quote == std::string_view::npos) return fail(ErrorCode::Corrupt, "a quote that does not close");
        field += text.substr(0, quote);
        text.remove_prefix(quote + 1);
        if (!text.starts_with('"')) break;
        field += '"';
      }
    } else {
      const auto end = std::min(text.find_first_of(",\r\n"), text.size());
      field = text.substr(0, end);
      text.remove_prefix(end);
    }
    row.push_back(std::move(field));
    if (!text.starts_with(',')) break;
    text.remove_prefix(1);
  }
  if (text.starts_with('\r')) text.remove_prefix(1);
  if (!text.empty() && !text.starts_with('\n')) return fail(ErrorCode::Corrupt, "text after a closing quote");
  if (!text.empty()) text.remove_prefix(1);
  return true;
}

struct Columns {
  std::size_t path, label, split;  // split: as many as there are columns when there is none
};

Result<Columns> find_columns(const Row& head) {
  const auto find = [&](std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
      const auto found = std::find(head.begin(), head.end(), name);
      if (found != head.end()) return static_cast<std::size_t>(found - head.begin());
    }
    return head.size();
  };
  const Columns columns{find({"path", "file", "filename", "image"}), find({"label", "class"}), find({"split"})};
  if (columns.path == head.size() || columns.label == head.size())
    return fail(ErrorCode::Corrupt,
                "its first row must name the columns path and label (and split, where there is one)");
  return columns;
}

/// The file that a row names, under its class; refused with the reason when it cannot be had.
SourceItem item_of(const Row& row, const Columns& columns, const fs::path& folder, const SourceLimits& limits) {
  const auto& path = row[columns.path];
  const auto& label = row[columns.label];
  SourceItem item;
  const auto refuse = [&](std::string reason) {
    item.kind = SourceItem::Kind::Refused;
    item.path = path;
    item.reason = std::move(reason);
    return item;
  };
  if (!is_safe_path(path)) return refuse("its path leads out of the table's folder");
  if (!is_safe_path(label) || label.find('/') != std::string::npos)
    return refuse(fmt::format("'{}' cannot be a label", label));
  item.path = fmt::format("{}/{}", label, path);
  if (columns.split < row.size()) {
    const auto split = split_from(row[columns.split]);
    if (!split) return refuse(split.error().message);
    item.path = fmt::format("{}/{}", to_string(*split), item.path);
  }
  auto bytes = read_file(folder / path, limits.file_bytes);
  if (!bytes) return refuse(std::move(bytes.error().message));
  item.bytes = std::move(*bytes);
  return item;
}

Result<void> read_rows(std::string_view text, const fs::path& folder, const SourceLimits& limits,
                       const OnItem& on_item) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // as spreadsheets write it
  const std::size_t total = text.size();
  Row row;
  TRY_VOID(next_row(text, row));
  TRY(const auto columns, find_columns(row));
  const std::size_t width = row.size();
  for (std::size_t number = 2;; ++number) {
    TRY(const bool more, next_row(text, row));
    if (!more) return {};
    if (row.size() != width)
      return fail(ErrorCode::Corrupt, "row {} has {} columns, but the first has {}", number, row.size(), width);
    auto item = item_of(row, columns, folder, limits);
    item.bytes_read = total - text.size();
    item.bytes_total = total;
    TRY_VOID(on_item(std::move(item)));
  }
}

}  // namespace

Result<void> read_csv(const fs::path& table, const SourceLimits& limits, const OnItem& on_item) {
  TRY(const auto text, read_file(table, kMaxTableBytes));
  std::optional<Error> passed;  // not the table's
  const auto read = read_rows(text, table.parent_path(), limits, [&](SourceItem item) {
    auto taken = on_item(std::move(item));
    if (!taken) passed = taken.error();
    return taken;
  });
  if (passed) return tl::unexpected<Error>(std::move(*passed));
  if (!read) return tl::unexpected<Error>(Error(read.error()).with(table.string()));
  return {};
}

Result<void> read_arrays(const fs::path& file, const SourceLimits&, const OnItem& on_item) {
  TRY(const auto mapped, MappedFile::open(file));
  TRY(const auto splits, read_npz_splits(file.filename().string(), as_text(mapped.bytes())));
  std::uint64_t done = 0, total = 0;
  for (const auto& [split, images] : splits) total += images.size();
  for (const auto& [split, images] : splits) {
    for (std::size_t i = 0; i < images.size(); ++i) {
      SourceItem item{.bytes_read = ++done, .bytes_total = total};
      const auto label = images.label(i);
      if (!label || !is_safe_path(*label) || label->find('/') != std::string::npos) {
        item.kind = SourceItem::Kind::Refused;
        item.path = fmt::format("{}/{:06}", to_string(split), i);
        item.reason = label ? fmt::format("'{}' cannot be a label", *label) : label.error().message;
      } else {
        item.path = fmt::format("{}/{}/{:06}.png", to_string(split), *label, i);
        TRY(item.bytes, image::encode_png(images.image(i)));
      }
      TRY_VOID(on_item(std::move(item)));
    }
  }
  return {};
}

}  // namespace imago::data
