// SPDX-License-Identifier: Apache-2.0
#include "serve/audit_trail.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"

namespace imago::serve {
namespace {

constexpr int kStrangersPerMinute = 60;
constexpr std::chrono::hours kLookEvery{1};

std::string outcome_of(int status) { return status < 400 ? "ok" : status < 500 ? "refused" : "failed"; }

access::AuditEntry entry_of(const Write& write) {
  const http::Request& request = write.request;
  return {.who = write.key != nullptr ? fmt::format("key {} ({})", write.key->name, write.key->id) : request.peer,
          .address = request.peer,
          .via = std::string(write.via),
          .action = fmt::format("{} {}", request.method, request.route),
          .target = write.target.empty() ? request.path : std::string(write.target),
          .outcome = outcome_of(write.status),
          .status = std::to_string(write.status),
          .request_id = write.mark.request_id};
}

}  // namespace

void AuditTrail::record(const Write& write) {
  keep(entry_of(write));
  forget_old();
}

void AuditTrail::record_refusal(const Write& write) {
  if (write.status != 401 && write.status != 403) return;
  if (write.key == nullptr && !strangers_.take({}, kStrangersPerMinute, write.request.received).granted) return;
  pool_.try_run([self = shared_from_this(), entry = entry_of(write)] { self->keep(entry); });
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
