// SPDX-License-Identifier: Apache-2.0
#include "app/audit_note.hpp"

#include <pwd.h>
#include <unistd.h>

namespace imago::app {

access::AuditEntry audit_user() {
  // The command line is one thread: the shared buffer of getpwuid is its own.
  const passwd* user = getpwuid(getuid());
  return {.who = user == nullptr ? fmt::format("user {}", getuid()) : fmt::format("user {}", user->pw_name),
          .via = "cli"};
}

Result<void> note_change(Context& context, const std::string& action, const std::string& target, Result<void> outcome) {
  TRY(auto* workspace, context.workspace());
  access::AuditEntry entry = audit_user();
  entry.action = action;
  entry.target = target;
  entry.outcome = outcome ? "ok" : "refused";
  if (!outcome) entry.status = to_string(outcome.error().code);
  auto noted = access::append_audit(workspace->database(), std::move(entry));
  if (!outcome) return outcome;
  if (!noted) return pass(noted);
  return {};
}

}  // namespace imago::app
