// SPDX-License-Identifier: Apache-2.0
// The audit log: who changed what, when, and what came of it. docs/api/audit.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "json/json.hpp"
#include "store/database.hpp"

namespace imago::access {

/// One write that somebody asked for. It holds names and no secrets: keys by name, never what a request carried.
struct AuditEntry {
  std::int64_t number = 0;  ///< 1, 2, ... without a gap, in the order they were noted; set by append_audit
  std::string time;         ///< set by append_audit when it is empty
  std::string who;          ///< "key NAME (ID)", an address, "user NAME"
  std::string address;      ///< of the client; empty on the command line
  std::string via;          ///< "http", "grpc", "cli", or "server" for what it does by itself
  std::string action;       ///< "POST /v1/models/{name}/promote", "RepositoryModelLoad", "keys create"
  std::string target;       ///< what it was done to: a path, "model:3", a key's id
  std::string outcome;      ///< "ok", "refused" (the caller's fault) or "failed" (ours)
  std::string status;       ///< as the protocol has it: "200", "PERMISSION_DENIED"
  std::string request_id;   ///< empty on the command line
};

/// On disk when it returns (a committed row): note a write with it before its answer goes out. Texts over 200 bytes are
/// cut. Blocks: not for an event loop. Safe from any thread and process.
Result<void> append_audit(store::Database& database, AuditEntry entry);

/// What to read. Empty members mean any; all that are set must hold.
struct AuditFilter {
  std::string who;     ///< a part of it
  std::string action;  ///< a part of it
  std::string target;  ///< a part of it
  std::string via;     ///< the whole word, as of the next two
  std::string outcome;
  std::string request_id;
  std::string since;       ///< this time or later: RFC 3339 in UTC, or its beginning, as 2026-11-21
  std::string until;       ///< before this time
  std::int64_t below = 0;  ///< a number: those noted before that entry, for the next page; 0: from the newest on
  int limit = 100;
};

/// The newest first. InvalidArgument for a via, an outcome or a time that cannot be.
Result<std::vector<AuditEntry>> read_audit(store::Database& database, const AuditFilter& filter);

/// Removes what was noted before `time`, and notes that, by `who`. The only way an entry goes. Entries removed.
Result<std::int64_t> forget_audit(store::Database& database, const std::string& time, const AuditEntry& who);

json::Value to_json(const AuditEntry& entry);

}  // namespace imago::access
