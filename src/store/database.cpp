// SPDX-License-Identifier: Apache-2.0
// The only file that knows SOCI.
#include "store/database.hpp"

#include <soci/soci-config.h>
// Only convenience templates that we do not use; they would need all of Boost's headers.
#undef SOCI_HAVE_BOOST
#undef SOCI_HAVE_BOOST_DATE_TIME

#include <soci/connection-pool.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <optional>

#include "base/files.hpp"
#include "store/migrations.hpp"

namespace imago::store {
namespace {

constexpr std::size_t kConnections = 4;
constexpr int kPatienceMs = 10'000;
/// "imago" in ASCII: the advisory lock that makes writers on PostgreSQL queue.
constexpr std::int64_t kWriterLock = 0x696d61676f;

ErrorCode code_of(const soci::sqlite3_soci_error& error) {
  constexpr int kError = 1, kBusy = 5, kLocked = 6, kReadOnly = 8, kCorrupt = 11, kFull = 13, kCannotOpen = 14,
                kConstraint = 19,
                kNotADatabase = 26;  // sqlite3.h's SQLITE_ERROR and so on
  switch (error.result() & 0xff) {   // the rest says which kind of it
    case kBusy:
    case kLocked: return ErrorCode::Unavailable;
    case kCorrupt:
    case kNotADatabase: return ErrorCode::Corrupt;
    case kFull: return ErrorCode::ResourceExhausted;
    case kConstraint:
      return std::string_view(error.what()).find("UNIQUE") == std::string_view::npos ? ErrorCode::InvalidArgument
                                                                                     : ErrorCode::AlreadyExists;
    case kError:
    case kReadOnly:
    case kCannotOpen: return ErrorCode::InvalidArgument;
    default: return ErrorCode::Internal;
  }
}

ErrorCode code_of(const soci::postgresql_soci_error& error) {
  const std::string state = error.sqlstate();
  const std::string kind = state.substr(0, 2);
  if (state == "23505") return ErrorCode::AlreadyExists;
  if (state == "53100") return ErrorCode::ResourceExhausted;
  if (kind == "22" || kind == "23" || kind == "42" || kind == "28" || kind == "3D") return ErrorCode::InvalidArgument;
  if (kind == "08" || kind == "53" || kind == "55" || kind == "57" || kind == "40") return ErrorCode::Unavailable;
  // A broken connection has no state of its own.
  return error.get_error_category() == soci::soci_error::connection_error ||
                 state.find_first_not_of(' ') == std::string::npos
             ? ErrorCode::Unavailable
             : ErrorCode::Internal;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

/// The edge of this folder: SOCI's exceptions become Errors.
template <class Body>
auto guard(Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const soci::sqlite3_soci_error& error) {
    return fail(code_of(error), "database: {}", one_line(error.get_error_message()));
  } catch (const soci::postgresql_soci_error& error) {
    return fail(code_of(error), "database: {}", one_line(error.get_error_message()));
  } catch (const soci::soci_error& error) {
    const bool connection = error.get_error_category() == soci::soci_error::connection_error;
    return fail(connection ? ErrorCode::Unavailable : ErrorCode::Internal, "database: {}", one_line(error.what()));
  }
}

Value column_value(const soci::row& row, std::size_t i) {
  if (row.get_indicator(i) == soci::i_null) return {};
  switch (row.get_properties(i).get_data_type()) {
    case soci::dt_integer: return std::int64_t{row.get<int>(i)};
    case soci::dt_long_long: return std::int64_t{row.get<long long>(i)};
    case soci::dt_unsigned_long_long: return static_cast<std::int64_t>(row.get<unsigned long long>(i));
    case soci::dt_double: return row.get<double>(i);
    default: return row.get<std::string>(i);
  }
}

/// SOCI binds references: the values' copies must stay where they are until the statement is gone.
class Bindings {
 public:
  explicit Bindings(const std::vector<Value>& values) {
    EXPECTS(values.size() <= 26, "a statement takes at most 26 values, :a to :z");
    slots_.reserve(values.size());
    for (const Value& value : values) {
      Slot& slot = slots_.emplace_back();
      slot.name = std::string(1, static_cast<char>('a' + (slots_.size() - 1)));
      if (std::holds_alternative<std::monostate>(value)) slot.indicator = soci::i_null;
      if (const auto* integer = std::get_if<std::int64_t>(&value)) slot.value = static_cast<long long>(*integer);
      if (const auto* real = std::get_if<double>(&value)) slot.value = *real;
      if (const auto* text = std::get_if<std::string>(&value)) slot.value = *text;
    }
  }

  void attach(soci::statement& statement) {
    for (Slot& slot : slots_)
      std::visit([&](auto& value) { statement.exchange(soci::use(value, slot.indicator, slot.name)); }, slot.value);
  }

 private:
  struct Slot {
    std::string name;
    std::variant<std::string, long long, double> value;
    soci::indicator indicator = soci::i_ok;
  };
  std::vector<Slot> slots_;
};

/// One connection, in a transaction unless it runs a single statement.
class Connection final : public Database {
 public:
  explicit Connection(soci::session& session) : session_(session) {}

  Result<std::vector<Row>> query(std::string_view sql, const std::vector<Value>& values) override {
    return guard([&]() -> Result<std::vector<Row>> {
      Bindings bindings(values);
      soci::statement statement(session_);
      soci::row row;
      statement.exchange(soci::into(row));
      bindings.attach(statement);
      statement.alloc();
      statement.prepare(std::string(sql));
      statement.define_and_bind();
      std::vector<Row> rows;
      for (bool more = statement.execute(true); more; more = statement.fetch()) {
        std::map<std::string, Value, std::less<>> columns;
        for (std::size_t i = 0; i < row.size(); ++i)
          columns.emplace(row.get_properties(i).get_name(), column_value(row, i));
        rows.emplace_back(std::move(columns));
      }
      return rows;
    });
  }

  Result<std::int64_t> execute(std::string_view sql, const std::vector<Value>& values) override {
    return guard([&]() -> Result<std::int64_t> {
      Bindings bindings(values);
      soci::statement statement(session_);
      bindings.attach(statement);
      statement.alloc();
      statement.prepare(std::string(sql));
      statement.define_and_bind();
      statement.execute(true);
      return statement.get_affected_rows();
    });
  }

  Result<void> transaction(const std::function<Result<void>(Database&)>& body) override {
    const std::string savepoint = fmt::format("nested_{}", ++depth_);
    auto done = bracketed(body, "SAVEPOINT " + savepoint, "RELEASE SAVEPOINT " + savepoint,
                          "ROLLBACK TO SAVEPOINT " + savepoint);
    --depth_;
    return done;
  }

  /// `body` between `begin` and `end`; `undo` in place of `end` when it fails.
  Result<void> bracketed(const std::function<Result<void>(Database&)>& body, const std::string& begin,
                         const std::string& end, const std::string& undo) {
    TRY_VOID(run(begin));
    auto done = body(*this);
    if (done) done = run(end);
    if (!done) static_cast<void>(run(undo));  // the first error is the one to tell; a lost connection undoes itself
    return done;
  }

  Result<void> run(const std::string& sql) {
    return guard([&]() -> Result<void> {
      session_.once << sql;
      return {};
    });
  }

 private:
  soci::session& session_;
  int depth_ = 0;
};

/// Connections to one database.
class Pool final : public Database {
 public:
  Pool(const soci::backend_factory& backend, std::string connect, bool is_sqlite)
      : backend_(backend), connect_(std::move(connect)), is_sqlite_(is_sqlite) {}

  Result<void> connect() {
    for (std::size_t i = 0; i < kConnections; ++i) TRY_VOID(connect_one(pool_.at(i)));
    return {};
  }

  Result<std::vector<Row>> query(std::string_view sql, const std::vector<Value>& values) override {
    TRY(const Lease lease, take());
    return Connection(lease.session()).query(sql, values);
  }

  Result<std::int64_t> execute(std::string_view sql, const std::vector<Value>& values) override {
    TRY(const Lease lease, take());
    return Connection(lease.session()).execute(sql, values);
  }

  Result<void> transaction(const std::function<Result<void>(Database&)>& body) override {
    TRY(const Lease lease, take());
    Connection connection(lease.session());
    const auto queued = [&](Database& database) -> Result<void> {
      if (!is_sqlite_) TRY_VOID(connection.run(fmt::format("SELECT pg_advisory_xact_lock({})", kWriterLock)));
      return body(database);
    };
    return connection.bracketed(queued, is_sqlite_ ? "BEGIN IMMEDIATE" : "BEGIN", "COMMIT", "ROLLBACK");
  }

 private:
  class Lease {
   public:
    Lease(soci::connection_pool& pool, std::size_t position) : pool_(&pool), position_(position) {}
    ~Lease() {
      if (pool_ != nullptr) pool_->give_back(position_);
    }
    Lease(Lease&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), position_(other.position_) {}
    Lease& operator=(Lease&&) = delete;
    [[nodiscard]] soci::session& session() const { return pool_->at(position_); }

   private:
    soci::connection_pool* pool_;
    std::size_t position_;
  };

  Result<Lease> take() {
    std::size_t position = 0;
    if (!pool_.try_lease(position, kPatienceMs))
      return fail(ErrorCode::Unavailable, "database: all {} connections were in use for {} s", kConnections,
                  kPatienceMs / 1000);
    Lease lease(pool_, position);
    const auto alive = guard([&]() -> Result<bool> { return lease.session().is_connected(); });
    if (!alive || !*alive) TRY_VOID(connect_one(lease.session()));
    return lease;
  }

  Result<void> connect_one(soci::session& session) {
    auto connected = guard([&]() -> Result<void> {
      session.close();
      session.open(backend_, connect_);
      if (!is_sqlite_) {
        session.once << "SET client_min_messages = warning";
        return {};
      }
      session.once << fmt::format("PRAGMA busy_timeout = {}", kPatienceMs);
      session.once << "PRAGMA journal_mode = WAL";
      session.once << "PRAGMA synchronous = FULL";
      session.once << "PRAGMA foreign_keys = ON";
      return {};
    });
    // SOCI does not say why PostgreSQL cannot be reached.
    if (!connected && !is_sqlite_) connected.error().code = ErrorCode::Unavailable;
    return connected;
  }

  const soci::backend_factory& backend_;
  const std::string connect_;
  const bool is_sqlite_;
  soci::connection_pool pool_{kConnections};
};

Result<std::unique_ptr<Database>> open_pool(const soci::backend_factory& backend, const std::string& connect,
                                            bool is_sqlite) {
  auto pool = std::make_unique<Pool>(backend, connect, is_sqlite);
  TRY_VOID(pool->connect());
  TRY_VOID(migrate(*pool));
  return pool;
}

Result<std::unique_ptr<Database>> open_sqlite(const fs::path& path) {
  if (path.empty()) return fail(ErrorCode::InvalidArgument, "the database address 'sqlite:' names no file");
  if (path.string().find('"') != std::string::npos)
    return fail(ErrorCode::InvalidArgument, "a quote in the database's path '{}': choose another", path.string());
  // Two processes that switch a new file to WAL at once would get "locked" at once, busy timeout or not.
  TRY(const auto alone, FileLock::lock(fs::path(path).concat(".lock")));
  return open_pool(*soci::factory_sqlite3(), fmt::format("dbname=\"{}\"", path.string()), true);
}

/// SOCI takes KEY=VALUE pairs apart and would add a "=" to a URL that has none.
std::string for_soci(const std::string& url) {
  if (url.find('=') != std::string::npos) return url;
  return fmt::format("{}{}application_name=imago", url, url.find('?') == std::string::npos ? '?' : '&');
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::string& url) {
  constexpr std::string_view kSqlite = "sqlite:";
  Result<std::unique_ptr<Database>> opened;
  if (url.starts_with(kSqlite)) {
    opened = open_sqlite(url.substr(kSqlite.size()));
  } else if (url.starts_with("postgresql://") || url.starts_with("postgres://")) {
    opened = open_pool(*soci::factory_postgresql(), for_soci(url), false);
  } else {
    return fail(ErrorCode::InvalidArgument, "database address '{}': expected sqlite:PATH or postgresql://...", url);
  }
  if (!opened && url.starts_with(kSqlite)) return pass(opened, url);  // the other may hold a password
  return opened;
}

}  // namespace imago::store
