// SPDX-License-Identifier: Apache-2.0
// Inside data/: uploads as rows, staged and used ones.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "data/uploads.hpp"
#include "store/database.hpp"

namespace imago::data {

Upload upload_from(const store::Row& row);

/// Whatever its state.
Result<std::optional<Upload>> find_upload(store::Database& database, const std::string& id);

}  // namespace imago::data
