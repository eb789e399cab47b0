// SPDX-License-Identifier: Apache-2.0
#include "serve/audit_trail.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"

namespace imago::serve {
namespace {

constexpr int kStrangersPerMinute = 60;
constexpr std::chrono::hours kLookEvery{1};

access::AuditEntry entry_of(const http::Request& request, int status, const RequestMark& mark,
                            const access::ApiKey* key) {
  return {.who = key != nullptr ? fmt::format("key {} ({})", key->name, key->id) : request.peer,
          .address = request.peer,
          .via = "http",
          .action = fmt::format("{} {}", request.method, request.route),
          .target = request.path,
          .outcome = status < 400   ? "ok"
                     : status < 500 ? "refused"
                                    : "failed",
          .status = std::to_string(status),
          .request_id = mark.request_id};
}

}  // namespace

void AuditTrail::record(const http::Request& request, int status, const RequestMark& mark, const access::ApiKey* key) {
  keep(entry_of(request, status, mark, key));
  forget_old();
}

void AuditTrail::record_refusal(const http::Request& request, int status, const RequestMark& mark,
                                const access::ApiKey* key) {
  if (status != 401 && status != 403) return;
  if (key == nullptr && !strangers_.take({}, kStrangersPerMinute, request.received).granted) return;
  pool_.try_run([self = shared_from_this(), entry = entry_of(request, status, mark, key)] { self->keep(entry); });
}

void AuditTrail::keep(const access::AuditEntry& entry) {
  if (const auto stored = access::append_audit(database_, entry); !stored) {
    log::error("the audit log takes nothing ({}); lost there: {}", stored.error().message,
               json::dump(access::to_json(entry)));
  }
}

void AuditTrail::forget_old() {
  if (keep_days_ == 0) return;
  const auto now = system_clock().wall();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  auto due = next_look_.load();
  if (seconds < due || !next_look_.compare_exchange_strong(due, seconds + std::chrono::seconds(kLookEvery).count()))
    return;
  const auto before = format_utc(now - std::chrono::hours(24) * keep_days_);
  if (const auto done = access::forget_audit(database_, before, {.who = "imago serve", .via = "server"}); !done)
    log::warning("old entries of the audit log stay: {}", done.error().message);
}

}  // namespace imago::serve
