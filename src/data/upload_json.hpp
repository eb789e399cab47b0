// SPDX-License-Identifier: Apache-2.0
// Uploads as the command line and the server tell of them; docs/api/uploads.md has the fields.
#pragma once

#include "data/uploads.hpp"
#include "json/json.hpp"

namespace imago::data {

/// {"id", "name", "label" (null: nobody said yet), "bytes", "width", "height", "created"}.
json::Value to_json(const Upload& upload);
json::Value to_json(const std::vector<Upload>& uploads);
/// [{"file", "reason"}].
json::Value to_json(const std::vector<Refusal>& rejected);
/// [{"given", "label", "files"}].
json::Value to_json(const std::vector<AliasUse>& aliases);

}  // namespace imago::data
