// SPDX-License-Identifier: Apache-2.0
// What the audit log is told of commands that change keys, aliases and limits.
#pragma once

#include <string>

#include "access/audit.hpp"
#include "app/command.hpp"

namespace imago::app {

/// Who runs this command, as an entry without action: "user NAME".
access::AuditEntry audit_user();

/// Notes that a command did `action` to `target` with `outcome`, and passes the outcome on; when it was done but cannot
/// be noted, that error.
Result<void> note_change(Context& context, const std::string& action, const std::string& target, Result<void> outcome);

}  // namespace imago::app
