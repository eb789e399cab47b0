// SPDX-License-Identifier: Apache-2.0
// What the audit log is told of requests that write.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "access/api_keys.hpp"
#include "access/audit.hpp"
#include "access/rate_limit.hpp"
#include "http/server.hpp"
#include "http/work_pool.hpp"
#include "serve/trace_context.hpp"

namespace imago::serve {

/// A request that writes, and what came of it.
struct Write {
  const http::Request& request;
  int status;  ///< as HTTP has it
  const RequestMark& mark;
  const access::ApiKey* key = nullptr;  ///< the good one that was shown; may be null
  std::string_view via = "http";
  std::string_view target = {};  ///< what is written; empty: the path says it
};

/// Safe from any thread. The database must outlive it and the pool it writes on.
class AuditTrail : public std::enable_shared_from_this<AuditTrail> {
 public:
  /// @param keep_days  Entries older than that go, at most once an hour; 0: none.
  AuditTrail(store::Database& database, http::WorkPool& pool, int keep_days)
      : database_(database), pool_(pool), keep_days_(keep_days) {}

  /// A request that was handled: on disk when this returns, so call it before the answer goes out, on a thread that may
  /// block. An entry that cannot be stored is written to the log instead: what was done cannot be undone.
  void record(const Write& write);

  /// One that was turned away on an event loop: nothing was done, so it is stored soon. Of those without a good key a
  /// minute has at most 60 entries, or anybody could fill the disk; 429 and a full pool leave none.
  void record_refusal(const Write& write);

 private:
  void keep(const access::AuditEntry& entry);
  void forget_old();

  store::Database& database_;
  http::WorkPool& pool_;
  const int keep_days_;
  std::atomic<std::int64_t> next_look_{0};  // seconds since 1970: when to look for old entries again
  access::RateLimiter strangers_{1};
};

}  // namespace imago::serve
