// SPDX-License-Identifier: Apache-2.0
#include "data/row_table.hpp"

#include <algorithm>

namespace imago::data {
namespace {

// A row of `files` begins as a reserved path; it is an image once it has a sha256. `places` and `contents` come when
// all is read: what a place means, and the split of each content of a class that is cut off from its training images.
constexpr const char* kTables =
    "CREATE TABLE files (path TEXT PRIMARY KEY, place INT, sha256 TEXT, width INT, height INT, remarks INT) WITHOUT "
    "ROWID;"
    "CREATE TABLE refused (path TEXT, reason TEXT);"
    "CREATE TABLE places (place INTEGER PRIMARY KEY, label INT, split INT, objection TEXT);"
    "CREATE TABLE contents (label INT, sha256 TEXT, copies INT, PRIMARY KEY (label, sha256)) WITHOUT ROWID;"
    "CREATE TABLE cut (label INT, sha256 TEXT, split INT, PRIMARY KEY (label, sha256)) WITHOUT ROWID";

constexpr const char* kEntries =
    "SELECT path, files.sha256, places.label, coalesce(cut.split, places.split), width, height FROM files CROSS JOIN "
    "places USING (place) LEFT JOIN cut ON places.split = 0 AND cut.label = places.label AND cut.sha256 = files.sha256 "
    "WHERE files.sha256 IS NOT NULL AND objection = '' ORDER BY path";

static_assert(static_cast<int>(Split::Train) == 0, "as the statements have it");

Split split_of(std::int64_t number) { return static_cast<Split>(number); }

}  // namespace

Result<std::unique_ptr<RowTable>> RowTable::create(const std::filesystem::path& folder) {
  TRY(auto scratch, store::Scratch::create(folder / "rows.sqlite"));
  std::unique_ptr<RowTable> table(new RowTable(std::move(scratch)));
  TRY_VOID(table->scratch_.run(kTables));
  TRY(table->reserve_, table->scratch_.prepare("INSERT OR IGNORE INTO files (path, place) VALUES (?1, ?2)"));
  TRY(table->keep_,
      table->scratch_.prepare("UPDATE files SET sha256 = ?2, width = ?3, height = ?4, remarks = ?5 WHERE path = ?1"));
  TRY(table->refuse_, table->scratch_.prepare("INSERT INTO refused VALUES (?1, ?2)"));
  return table;
}

Result<bool> RowTable::reserve(const std::string& path, std::size_t place) {
  const std::scoped_lock lock(mutex_);
  TRY_VOID(reserve_.bind(1, path).bind(2, static_cast<std::int64_t>(place)).run());
  return scratch_.changes() == 1;
}

Result<void> RowTable::keep(const CheckedFile& file) {
  const std::scoped_lock lock(mutex_);
  ++kept_;
  return keep_.bind(1, file.path)
      .bind(2, file.sha256)
      .bind(3, file.width)
      .bind(4, file.height)
      .bind(5, static_cast<std::int64_t>(file.remarks))
      .run();
}

Result<void> RowTable::refuse(std::string_view path, std::string_view reason) {
  const std::scoped_lock lock(mutex_);
  ++refused_;
  return refuse_.bind(1, path).bind(2, reason).run();
}

std::uint64_t RowTable::kept() const {
  const std::scoped_lock lock(mutex_);
  return kept_;
}

std::uint64_t RowTable::refused() const {
  const std::scoped_lock lock(mutex_);
  return refused_;
}

Result<std::int64_t> RowTable::number(std::string_view sql) {
  TRY(auto statement, scratch_.prepare(sql));
  TRY_VOID(statement.step());
  return statement.integer(0);
}

Result<std::vector<std::size_t>> RowTable::images_by_place(std::size_t places) {
  std::vector<std::size_t> images(places);
  TRY(auto count, scratch_.prepare("SELECT place FROM files WHERE sha256 IS NOT NULL"));
  for (;;) {
    TRY(const bool more, count.step());
    if (!more) return images;
    ++images.at(static_cast<std::size_t>(count.integer(0)));
  }
}

Result<void> RowTable::lay_out(const std::vector<Place>& places) {
  TRY(auto insert, scratch_.prepare("INSERT INTO places VALUES (?1, ?2, ?3, ?4)"));
  for (std::size_t i = 0; i < places.size(); ++i)
    TRY_VOID(insert.bind(1, static_cast<std::int64_t>(i))
                 .bind(2, places[i].label)
                 .bind(3, static_cast<std::int64_t>(places[i].split))
                 .bind(4, places[i].objection)
                 .run());
  TRY_VOID(
      scratch_.run("INSERT INTO refused SELECT path, objection FROM files CROSS JOIN places USING (place) "
                   "WHERE sha256 IS NOT NULL AND objection != ''"));
  const auto objected = static_cast<std::uint64_t>(scratch_.changes());
  refused_ += objected;
  kept_ -= objected;
  return {};
}

Result<bool> RowTable::has(Split split) {
  TRY(const auto found,
      number(
          fmt::format("SELECT EXISTS (SELECT 1 FROM files CROSS JOIN places USING (place) WHERE sha256 IS NOT NULL AND "
                      "objection = '' AND split = {})",
                      static_cast<int>(split))));
  return found == 1;
}

Result<void> RowTable::assign(const NearGroups& groups,
                              const std::function<std::vector<Split>(const ClassContents&)>& on_class) {
  TRY_VOID(
      scratch_.run("INSERT INTO contents SELECT label, sha256, count(*) FROM files CROSS JOIN places USING (place) "
                   "WHERE sha256 IS NOT NULL AND objection = '' AND split = 0 GROUP BY label, sha256 ORDER BY 1, 2"));
  TRY(auto labels, scratch_.prepare("SELECT DISTINCT label FROM contents ORDER BY label"));
  TRY(auto read, scratch_.prepare("SELECT copies, sha256 FROM contents WHERE label = ?1 ORDER BY sha256"));
  TRY(auto cut, scratch_.prepare("INSERT INTO cut VALUES (?1, ?2, ?3)"));
  for (;;) {
    TRY(const bool another, labels.step());
    if (!another) return {};
    ClassContents contents{.label = static_cast<int>(labels.integer(0)), .copies = {}, .groups = {}};
    read.bind(1, contents.label);
    for (;;) {
      TRY(const bool more, read.step());
      if (!more) break;
      contents.copies.push_back(static_cast<std::uint32_t>(read.integer(0)));
      if (groups.empty()) continue;
      const auto group = groups.find(std::string(read.text(1)));
      contents.groups.push_back(group == groups.end() ? 0 : group->second);
    }
    const auto splits = on_class(contents);
    EXPECTS(splits.size() == contents.copies.size(), "a split for each content");
    for (const Split split : splits) {
      TRY_VOID(read.step());
      if (split == Split::Train) continue;
      TRY_VOID(cut.bind(1, contents.label).bind(2, read.text(1)).bind(3, static_cast<std::int64_t>(split)).run());
    }
    read.reset();
  }
}

Result<void> RowTable::each_entry(std::size_t skip, const std::function<Result<void>(Entry&)>& on_entry) {
  TRY(auto read, scratch_.prepare(kEntries));
  Entry entry;
  for (;;) {
    TRY(const bool more, read.step());
    if (!more) return {};
    entry.path = read.text(0).substr(skip);
    entry.sha256 = read.text(1);
    entry.label = static_cast<int>(read.integer(2));
    entry.split = split_of(read.integer(3));
    entry.width = static_cast<int>(read.integer(4));
    entry.height = static_cast<int>(read.integer(5));
    TRY_VOID(on_entry(entry));
  }
}

Result<void> RowTable::each_refusal(
    const std::function<Result<void>(std::string_view path, std::string_view reason)>& on_file) {
  TRY(auto read, scratch_.prepare("SELECT path, reason FROM refused ORDER BY path, rowid"));
  for (;;) {
    TRY(const bool more, read.step());
    if (!more) return {};
    TRY_VOID(on_file(read.text(0), read.text(1)));
  }
}

Result<void> RowTable::each_remark(
    const std::function<Result<void>(std::string_view path, unsigned remarks)>& on_file) {
  TRY(auto read,
      scratch_.prepare("SELECT path, remarks FROM files CROSS JOIN places USING (place) WHERE sha256 IS NOT NULL "
                       "AND objection = '' AND remarks != 0 ORDER BY path"));
  for (;;) {
    TRY(const bool more, read.step());
    if (!more) return {};
    TRY_VOID(on_file(read.text(0), static_cast<unsigned>(read.integer(1))));
  }
}

}  // namespace imago::data
