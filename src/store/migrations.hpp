// SPDX-License-Identifier: Apache-2.0
// The schema, as the ordered steps that lead to it.
#pragma once

#include "base/error.hpp"
#include "store/database.hpp"

namespace imago::store {

/// The version that this program needs.
int schema_version();

/// Applies the steps that are missing, each in a transaction, and records them in schema_migrations. Several processes
/// may call at once. Unsupported when the database is newer than this program.
Result<void> migrate(Database& database);

}  // namespace imago::store
