// SPDX-License-Identifier: Apache-2.0
// Images that a table lists: rows of a .csv file.
#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/files.hpp"
#include "data/manifest.hpp"
#include "data/source.hpp"

namespace imago::data {
namespace {

using Row = std::vector<std::string>;

/// One row of RFC 4180, with fields between `separator`; false at the end. Corrupt for a quote that never closes.
Result<bool> next_row(std::string_view& text, char separator, Row& row) {
  const std::array<char, 3> ends{separator, '\r', '\n'};
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
      const auto end = std::min(text.find_first_of(ends.data(), 0, ends.size()), text.size());
      field = text.substr(0, end);
      text.remove_prefix(end);
    }
    row.push_back(std::move(field));
    if (!text.starts_with(separator)) break;
    text.remove_prefix(1);
  }
  if (text.starts_with('\r')) text.remove_prefix(1);
  if (!text.empty() && !text.starts_with('\n')) return fail(ErrorCode::Corrupt, "text after a closing quote");
  if (!text.empty()) text.remove_prefix(1);
  return true;
}

/// What stands between the names of the first row: a comma, or what some spreadsheets write instead.
char separator_of(std::string_view text) {
  const auto head = text.substr(0, text.find('\n'));
  for (const char separator : {',', ';', '\t'})
    if (head.find(separator) != std::string_view::npos) return separator;
  return ',';
}

struct Columns {
  std::size_t path, label, split;  // split: as many as there are columns when there is none
};

Result<Columns> find_columns(const Row& head) {
  const auto find = [&](std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
      const auto found = std::find_if(head.begin(), head.end(), [&](const std::string& title) {
        return std::ranges::equal(title, name, {}, [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
      });
      if (found != head.end()) return static_cast<std::size_t>(found - head.begin());
    }
    return head.size();
  };
  const Columns columns{find({"path", "file", "filename", "file_name", "filepath", "image"}),
                        find({"label", "class", "category"}), find({"split"})};
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

}  // namespace

Result<void> read_table(std::string_view text, const fs::path& folder, const SourceLimits& limits,
                        const OnItem& on_item) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // as spreadsheets write it
  const std::size_t total = text.size();
  const char separator = separator_of(text);
  Row row;
  TRY_VOID(next_row(text, separator, row));
  TRY(const auto columns, find_columns(row));
  const std::size_t width = row.size();
  for (std::size_t number = 2;; ++number) {
    TRY(const bool more, next_row(text, separator, row));
    if (!more) return {};
    if (row.size() != width)
      return fail(ErrorCode::Corrupt, "row {} has {} columns, but the first has {}", number, row.size(), width);
    auto item = item_of(row, columns, folder, limits);
    item.bytes_read = total - text.size();
    item.bytes_total = total;
    TRY_VOID(on_item(std::move(item)));
  }
}

Result<void> read_csv(const fs::path& table, const SourceLimits& limits, const OnItem& on_item) {
  TRY(const auto mapped, MappedFile::open(table));  // rows are read as they come, however many
  std::optional<Error> passed;                      // not the table's
  const auto read = read_table(as_text(mapped.bytes()), table.parent_path(), limits, [&](SourceItem item) {
    auto taken = on_item(std::move(item));
    if (!taken) passed = taken.error();
    return taken;
  });
  if (passed) return tl::unexpected<Error>(std::move(*passed));
  if (!read) return tl::unexpected<Error>(Error(read.error()).with(table.string()));
  return {};
}

}  // namespace imago::data
