// SPDX-License-Identifier: Apache-2.0
// A step that has been released is never edited: a change is a new step at the end. SQL that SQLite and PostgreSQL both
// take: BIGINT and DOUBLE PRECISION (SOCI reads SQLite's columns by these names), TEXT for times (RFC 3339) and for
// JSON.
#include "store/migrations.hpp"

#include <span>
#include <string_view>

#include "base/clock.hpp"

namespace imago::store {
namespace {

constexpr std::string_view kFirst[] = {
    // What `imago data` imported; the manifest itself is in datasets/NAME/VERSION.
    R"(CREATE TABLE dataset_versions (
         dataset TEXT NOT NULL, version TEXT NOT NULL, parent TEXT NOT NULL, created TEXT NOT NULL,
         source TEXT NOT NULL, summary TEXT NOT NULL,
         PRIMARY KEY (dataset, version)))",

    R"(CREATE TABLE runs (
         id TEXT PRIMARY KEY, kind TEXT NOT NULL,
         status TEXT NOT NULL CHECK (status IN ('running', 'finished', 'failed', 'interrupted')),
         created TEXT NOT NULL, ended TEXT, error TEXT, params TEXT NOT NULL, summary TEXT))",
    "CREATE INDEX runs_by_time ON runs (created)",
    R"(CREATE TABLE metrics (
         run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, name TEXT NOT NULL, step BIGINT NOT NULL,
         value DOUBLE PRECISION, time TEXT NOT NULL,
         PRIMARY KEY (run, name, step)))",

    "CREATE TABLE models (name TEXT PRIMARY KEY, created TEXT NOT NULL)",
    // run is not a reference: a package may come from another workspace.
    R"(CREATE TABLE model_versions (
         model TEXT NOT NULL REFERENCES models (name), version BIGINT NOT NULL, digest TEXT NOT NULL,
         created TEXT NOT NULL, run TEXT, test_accuracy DOUBLE PRECISION, lineage TEXT,
         PRIMARY KEY (model, version)))",
    R"(CREATE TABLE aliases (
         model TEXT NOT NULL, alias TEXT NOT NULL, version BIGINT NOT NULL, updated TEXT NOT NULL,
         PRIMARY KEY (model, alias),
         FOREIGN KEY (model, version) REFERENCES model_versions (model, version)))",
    R"(CREATE TABLE alias_history (
         model TEXT NOT NULL, alias TEXT NOT NULL, number BIGINT NOT NULL, version BIGINT NOT NULL,
         time TEXT NOT NULL, reason TEXT NOT NULL,
         PRIMARY KEY (model, alias, number)))",

    R"(CREATE TABLE jobs (
         id TEXT PRIMARY KEY, kind TEXT NOT NULL,
         state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
         payload TEXT NOT NULL, result TEXT, error TEXT, progress TEXT,
         lease_owner TEXT, lease_until TEXT, attempts BIGINT NOT NULL DEFAULT 0,
         created TEXT NOT NULL, started TEXT, ended TEXT))",
    "CREATE INDEX jobs_by_state ON jobs (state, created)",
};

constexpr std::string_view kWholeLoop[] = {
    "ALTER TABLE jobs ADD COLUMN cancel_requested BIGINT NOT NULL DEFAULT 0",
    // Images that were sent in; their bytes are in uploads/ID. label is one of a data set's, or NULL while nobody said.
    R"(CREATE TABLE uploads (
         id TEXT PRIMARY KEY, name TEXT NOT NULL, label TEXT, sha256 TEXT NOT NULL,
         bytes BIGINT NOT NULL, width BIGINT NOT NULL, height BIGINT NOT NULL, created TEXT NOT NULL,
         state TEXT NOT NULL CHECK (state IN ('staged', 'used')), dataset TEXT))",
    "CREATE INDEX uploads_by_state ON uploads (state, created)",
    // Keys themselves are shown once and not kept.
    R"(CREATE TABLE api_keys (
         id TEXT PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE, scopes TEXT NOT NULL,
         created TEXT NOT NULL, revoked TEXT))",
};

constexpr std::string_view kAbstention[] = {
    // Beside a version, for it can change and a package cannot. The newest of a version counts; empty limits are none.
    R"(CREATE TABLE abstention_policies (
         model TEXT NOT NULL, version BIGINT NOT NULL, number BIGINT NOT NULL, policy TEXT NOT NULL,
         time TEXT NOT NULL, reason TEXT NOT NULL,
         PRIMARY KEY (model, version, number),
         FOREIGN KEY (model, version) REFERENCES model_versions (model, version)))",
};

constexpr std::string_view kAudit[] = {
    // Rows are added and, when they are old, removed; never changed.
    R"(CREATE TABLE audit (
         number BIGINT PRIMARY KEY, time TEXT NOT NULL, who TEXT NOT NULL, address TEXT NOT NULL, via TEXT NOT NULL,
         action TEXT NOT NULL, target TEXT NOT NULL, outcome TEXT NOT NULL, status TEXT NOT NULL,
         request_id TEXT NOT NULL))",
    "CREATE INDEX audit_by_time ON audit (time)",
    // Requests a minute of one key, wherever it is used from; NULL: as any client.
    "ALTER TABLE api_keys ADD COLUMN per_minute BIGINT",
};

constexpr std::string_view kServing[] = {
    // How requests for a model are batched where that differs from what a server was started with; NULL: it does not.
    R"(CREATE TABLE batch_settings (
         model TEXT PRIMARY KEY REFERENCES models (name), max_batch BIGINT, batch_delay_us BIGINT, max_queue BIGINT,
         workers BIGINT))",
    // What servers hold because somebody asked for it while they ran.
    R"(CREATE TABLE hosted_models (
         model TEXT PRIMARY KEY REFERENCES models (name), policy TEXT NOT NULL, changes TEXT NOT NULL,
         is_main BIGINT NOT NULL))",
};

constexpr std::string_view kFeedback[] = {
    // What an image really showed, beside what was answered. request is NULL when nobody said to which it belongs.
    R"(CREATE TABLE feedback (
         id TEXT PRIMARY KEY, created TEXT NOT NULL, request TEXT, item BIGINT NOT NULL,
         model TEXT NOT NULL, version BIGINT NOT NULL, predicted TEXT NOT NULL, confidence DOUBLE PRECISION,
         label TEXT NOT NULL, sha256 TEXT, upload TEXT, note TEXT,
         UNIQUE (request, item)))",
    "CREATE INDEX feedback_by_version ON feedback (model, version)",
    "CREATE INDEX feedback_by_time ON feedback (created)",
    // The Idempotency-Key that a client gave a job, and what it asked for: asking again finds the job.
    "ALTER TABLE jobs ADD COLUMN request_key TEXT",
    "ALTER TABLE jobs ADD COLUMN request_digest TEXT",
    "CREATE UNIQUE INDEX jobs_by_request_key ON jobs (request_key)",
};

struct Migration {
  std::string_view name;
  std::span<const std::string_view> statements;
};

/// Step i leads from schema version i to i + 1.
constexpr Migration kMigrations[] = {
    {"first tables", kFirst},    {"uploads, keys, cancelling", kWholeLoop},
    {"abstention", kAbstention}, {"audit log, rates of keys", kAudit},
    {"serving", kServing},       {"feedback, jobs asked for twice", kFeedback},
};

Result<std::int64_t> version_of(Database& database) {
  TRY(const auto rows, database.query("SELECT version FROM schema_migrations ORDER BY version DESC LIMIT 1", {}));
  return rows.empty() ? 0 : rows.front().integer("version");
}

Result<void> apply_missing(Database& database) {
  TRY_VOID(
      database.execute("CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, "
                       "applied TEXT NOT NULL)",
                       {}));
  TRY(const auto present, version_of(database));
  if (present > schema_version())
    return fail(ErrorCode::Unsupported, "the database has schema version {}, this program knows {}: use a newer imago",
                present, schema_version());
  for (auto i = static_cast<std::size_t>(present); i < std::size(kMigrations); ++i) {
    for (const auto statement : kMigrations[i].statements) TRY_VOID(database.execute(statement, {}));
    TRY_VOID(database.execute(
        "INSERT INTO schema_migrations (version, name, applied) VALUES (:a, :b, :c)",
        {static_cast<std::int64_t>(i + 1), std::string(kMigrations[i].name), format_utc(system_clock().wall())}));
  }
  return {};
}

}  // namespace

int schema_version() { return static_cast<int>(std::size(kMigrations)); }

Result<void> migrate(Database& database) {
  // One transaction for all: a newer database is found by looking, without taking the writers' turn.
  const auto known =
      database.query("SELECT version FROM schema_migrations WHERE version = :a", {std::int64_t{schema_version()}});
  const auto newer =
      database.query("SELECT version FROM schema_migrations WHERE version > :a", {std::int64_t{schema_version()}});
  if (known && newer && !known->empty() && newer->empty()) return {};
  return database.transaction(apply_missing);
}

}  // namespace imago::store
