// SPDX-License-Identifier: Apache-2.0
#include "data/uploads.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <set>

#include "base/files.hpp"
#include "data/aliases.hpp"
#include "data/sync.hpp"
#include "data/upload_intake.hpp"
#include "data/upload_rows.hpp"

namespace imago::data {
namespace {

constexpr std::string_view kStaging = "incoming";
/// Another process may be between a file and its row; none takes so long.
constexpr auto kOrphanAge = std::chrono::hours(1);

bool is_id(std::string_view name) {
  return name.size() == 17 && name[0] == 'u' && name.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
}

/// Takes away what a killed process left: files without a row, folders of uploads that never ended.
void sweep(store::Database& database, const fs::path& folder) {
  std::vector<fs::path> old;
  std::error_code error;
  const auto now = fs::file_time_type::clock::now();
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const auto name = it->path().filename().string();
    std::error_code gone;
    const auto written = fs::last_write_time(it->path(), gone);
    if (!gone && now - written > kOrphanAge && (is_id(name) || name.starts_with(fmt::format(".{}-", kStaging))))
      old.push_back(it->path());
  }
  if (old.empty()) return;
  const auto rows = database.query("SELECT id FROM uploads WHERE state = 'staged'", {});
  if (!rows) return;
  std::set<std::string> staged;
  for (const auto& row : *rows) staged.insert(row.text("id"));
  for (const auto& path : old)
    if (!staged.contains(path.filename().string())) fs::remove_all(path, error);  // else the next process tries
}

tl::unexpected<Error> no_such(const std::string& id) {
  return fail(ErrorCode::NotFound, "no upload '{}' is waiting: it was never sent, removed, or used already", id);
}

Result<void> insert(store::Database& database, const std::vector<Upload>& uploads) {
  return database.transaction([&](store::Database& inside) -> Result<void> {
    for (const auto& upload : uploads)
      TRY_VOID(
          inside.execute("INSERT INTO uploads (id, name, label, sha256, bytes, width, height, created, state) "
                         "VALUES (:a, :b, :c, :d, :e, :f, :g, :h, 'staged')",
                         {upload.id, upload.name, store::text_or_null(upload.label), upload.sha256,
                          static_cast<std::int64_t>(upload.bytes), std::int64_t{upload.width},
                          std::int64_t{upload.height}, upload.created}));
    return {};
  });
}

/// Moves the files to where they belong, all or, on an error, none.
Result<void> move_in(const std::vector<Upload>& uploads, const fs::path& from, const fs::path& to) {
  std::vector<fs::path> paths;
  for (const auto& upload : uploads) paths.push_back(from / upload.id);
  TRY_VOID(sync_paths(paths));
  for (const auto& upload : uploads)
    if (std::rename((from / upload.id).c_str(), (to / upload.id).c_str()) != 0)
      return fail(ErrorCode::Internal, "storing {}: {}", upload.id, std::strerror(errno));
  return sync_paths({to});
}

}  // namespace

Upload upload_from(const store::Row& row) {
  return {.id = row.text("id"),
          .name = row.text("name"),
          .label = row.text("label"),
          .sha256 = row.text("sha256"),
          .bytes = static_cast<std::uint64_t>(row.integer("bytes")),
          .width = static_cast<int>(row.integer("width")),
          .height = static_cast<int>(row.integer("height")),
          .created = row.text("created"),
          .dataset = row.text("dataset")};
}

Result<std::optional<Upload>> find_upload(store::Database& database, const std::string& id) {
  TRY(const auto rows, database.query("SELECT * FROM uploads WHERE id = :a", {id}));
  if (rows.empty()) return std::nullopt;
  return upload_from(rows.front());
}

Uploads::Uploads(store::Database& database, fs::path folder) : database_(database), folder_(std::move(folder)) {
  sweep(database_, folder_);
}

Result<UploadReport> Uploads::add(const std::vector<IncomingFile>& files, const std::vector<std::string>& labels) {
  TRY_VOID(make_directories(folder_));
  TRY(const auto staging, TemporaryDirectory::create(folder_, kStaging));
  UploadIntake intake(staging.path(), labels);
  for (const auto& file : files) TRY_VOID(intake.take(file));
  auto report = intake.finish();
  if (report.accepted.empty()) return report;
  auto stored =
      move_in(report.accepted, staging.path(), folder_).and_then([&] { return insert(database_, report.accepted); });
  if (!stored) {
    std::error_code ignored;  // without a row they are nobody's, and swept away one day
    for (const auto& upload : report.accepted) fs::remove(folder_ / upload.id, ignored);
    return pass(stored);
  }
  return report;
}

Result<std::vector<Upload>> Uploads::staged(std::optional<bool> labelled) {
  std::string sql = "SELECT * FROM uploads WHERE state = 'staged'";
  if (labelled) sql += *labelled ? " AND label IS NOT NULL" : " AND label IS NULL";
  TRY(const auto rows, database_.query(sql + " ORDER BY created, name, id", {}));
  std::vector<Upload> found;
  for (const auto& row : rows) found.push_back(upload_from(row));
  return found;
}

Result<std::vector<Upload>> Uploads::find(const std::vector<std::string>& ids) {
  std::vector<Upload> found;
  for (const auto& id : ids) {
    TRY(auto upload, find_upload(database_, id));
    if (!upload || !upload->dataset.empty()) return no_such(id);
    found.push_back(std::move(*upload));
  }
  return found;
}

Result<std::string> Uploads::read(const std::string& id) {
  TRY(const auto found, find({id}));
  TRY(auto bytes, read_file(folder_ / id));
  if (sha256(bytes) != found.front().sha256)
    return fail(ErrorCode::Corrupt, "upload {} no longer has the bytes that were sent: it was changed or damaged", id);
  return bytes;
}

Result<Upload> Uploads::set_label(const std::string& id, const std::string& label,
                                  const std::vector<std::string>& labels) {
  TRY(const auto resolved, check_label(label, labels, default_aliases(labels)));
  TRY(const auto changed, database_.execute("UPDATE uploads SET label = :a WHERE id = :b AND state = 'staged'",
                                            {store::text_or_null(resolved), id}));
  if (changed == 0) return no_such(id);
  TRY(auto found, find({id}));
  return std::move(found.front());
}

Result<void> Uploads::remove(const std::string& id) {
  TRY(const auto changed, database_.execute("DELETE FROM uploads WHERE id = :a AND state = 'staged'", {id}));
  if (changed == 0) return no_such(id);
  std::error_code ignored;  // without its row the file is nobody's, and swept away one day
  fs::remove(folder_ / id, ignored);
  return {};
}

}  // namespace imago::data
