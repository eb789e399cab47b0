// SPDX-License-Identifier: Apache-2.0
#include "store/scratch.hpp"

#include <sqlite3.h>

namespace imago::store {
namespace {

tl::unexpected<Error> failure(sqlite3* database) {
  const int code = sqlite3_errcode(database) & 0xff;
  const auto kind = code == SQLITE_FULL    ? ErrorCode::ResourceExhausted
                    : code == SQLITE_ERROR ? ErrorCode::InvalidArgument
                                           : ErrorCode::Internal;
  return fail(kind, "temporary database: {}", sqlite3_errmsg(database));
}

// 8 MiB of pages; what sorting needs beyond that goes to files.
constexpr const char* kSettings =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA temp_store = FILE; PRAGMA cache_size = -8192; BEGIN";

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

Statement& Statement::bind(int position, std::int64_t value) {
  const int bound = sqlite3_bind_int64(statement_.get(), position, value);
  EXPECTS(bound == SQLITE_OK, "a statement that has ended, and a position it has");
  return *this;
}

Statement& Statement::bind(int position, std::string_view text) {
  const int bound = sqlite3_bind_text64(statement_.get(), position, text.data() == nullptr ? "" : text.data(),
                                        text.size(), SQLITE_STATIC, SQLITE_UTF8);
  EXPECTS(bound == SQLITE_OK, "a statement that has ended, and a position it has");
  return *this;
}

Result<bool> Statement::step() {
  const int stepped = sqlite3_step(statement_.get());
  if (stepped == SQLITE_ROW) return true;
  if (stepped == SQLITE_DONE) {
    reset();
    return false;
  }
  auto failed = failure(sqlite3_db_handle(statement_.get()));
  reset();
  return failed;
}

Result<void> Statement::run() {
  for (;;) {
    TRY(const bool more, step());
    if (!more) return {};
  }
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string_view Statement::text(int column) const {
  const auto* bytes = sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

void Scratch::Close::operator()(sqlite3* database) const noexcept { sqlite3_close(database); }

Result<Scratch> Scratch::create(const std::filesystem::path& file) {
  EXPECTS(!std::filesystem::exists(file), "a file that is not there yet");
  Scratch scratch;
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  scratch.database_.reset(opened);
  if (code != SQLITE_OK)
    return fail(ErrorCode::Internal, "temporary database {}: {}", file.string(), sqlite3_errstr(code));
  TRY_VOID(scratch.run(kSettings));
  return scratch;
}

Result<Statement> Scratch::prepare(std::string_view sql) {
  Statement prepared;
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  prepared.statement_.reset(statement);
  if (code != SQLITE_OK) return failure(database_.get());
  return prepared;
}

Result<void> Scratch::run(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return failure(database_.get());
  return {};
}

std::int64_t Scratch::changes() const { return sqlite3_changes64(database_.get()); }

}  // namespace imago::store
