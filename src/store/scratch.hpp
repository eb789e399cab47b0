// SPDX-License-Identifier: Apache-2.0
// SQLite as a place to put more rows than fit in memory, for the length of one piece of work.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace imago::store {

/// A compiled statement of a Scratch, which must outlive it. Values are bound to ?1, ?2, ...; columns count from 0.
class Statement {
 public:
  Statement() = default;
  Statement& bind(int position, std::int64_t value);
  Statement& bind(int position, std::string_view text);  ///< must stay as it is until the statement has ended
  /// True: there is a row. False: it has ended, and may be bound and stepped again.
  Result<bool> step();
  /// To its end.
  Result<void> run();
  /// Ends it early.
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string_view text(int column) const;  ///< valid until the next step; "" for NULL

 private:
  friend class Scratch;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// A database of one connection that nobody else opens and that no crash needs to spare: no journal, no sync, one
/// transaction, and a cache of a few MB however much it holds. Not safe from several threads.
///
/// Errors: InvalidArgument for SQL that is wrong, ResourceExhausted when the disk is full, Internal otherwise.
class Scratch {
 public:
  /// Creates `file`, which must not be there. Whoever made its folder removes it.
  static Result<Scratch> create(const std::filesystem::path& file);

  [[nodiscard]] Result<Statement> prepare(std::string_view sql);
  /// Statements without values, separated by semicolons.
  Result<void> run(const std::string& sql);
  /// Rows that the last statement changed.
  [[nodiscard]] std::int64_t changes() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace imago::store
