// SPDX-License-Identifier: Apache-2.0
// SQL, through SOCI: SQLite in the workspace, PostgreSQL when several machines share one state.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"

namespace imago::store {

/// A column's value. Times are RFC 3339 text, booleans 0 and 1, JSON text.
using Value = std::variant<std::monostate, std::int64_t, double, std::string>;

/// A result row; columns by name, in lowercase. The getters give 0 or "" for NULL, turn numbers and their text into one
/// another, and EXPECT a column that exists.
class Row {
 public:
  explicit Row(std::map<std::string, Value, std::less<>> columns) : columns_(std::move(columns)) {}
  [[nodiscard]] bool is_null(std::string_view column) const;
  [[nodiscard]] std::int64_t integer(std::string_view column) const;
  [[nodiscard]] double real(std::string_view column) const;
  [[nodiscard]] std::string text(std::string_view column) const;

 private:
  std::map<std::string, Value, std::less<>> columns_;
};

/// One database. Safe from any thread: connections come from a small pool. Not to be used by a forked child.
///
/// Errors of all calls: AlreadyExists when a unique key is taken; InvalidArgument when another constraint or the SQL is
/// violated; Unavailable when the database is locked for more than 10 s, or out of reach (the next call connects anew);
/// ResourceExhausted when the disk is full; Corrupt when the file is damaged.
class Database {
 public:
  /// `url` is "sqlite:PATH" (the folder must exist) or "postgresql://...". Creates the file, sets WAL, synchronous=FULL
  /// (a commit that returned is on disk) and busy timeout, runs the migrations that are missing. Unsupported when the
  /// schema is newer than this program.
  static Result<std::unique_ptr<Database>> open(const std::string& url);
  virtual ~Database() = default;

  /// Statements take :a, :b, ... for `values[0]`, `values[1]`, ...; at most 26, each may occur several times.
  virtual Result<std::vector<Row>> query(std::string_view sql, const std::vector<Value>& values) = 0;
  /// Rows changed.
  virtual Result<std::int64_t> execute(std::string_view sql, const std::vector<Value>& values) = 0;

  /// Inside, `database` is one connection in one transaction: committed when `body` returns a value, rolled back when
  /// it returns an error. Writers queue (SQLite: BEGIN IMMEDIATE; PostgreSQL: an advisory lock), so what is read inside
  /// stays true until the commit. Inside another transaction it is a savepoint of that one.
  virtual Result<void> transaction(const std::function<Result<void>(Database& database)>& body) = 0;
};

/// `value`, or NULL when it is empty.
inline Value text_or_null(std::string value) { return value.empty() ? Value() : Value(std::move(value)); }

}  // namespace imago::store
