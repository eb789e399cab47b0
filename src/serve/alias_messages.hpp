// SPDX-License-Identifier: Apache-2.0
// How changes of what models are called and when they answer are asked for and told.
#pragma once

#include <string>

#include "json/json.hpp"
#include "registry/registry.hpp"

namespace imago::serve {

/// {"name", "alias", "version", "previous"}; null for a version that is none.
json::Value to_json(const registry::AliasChange& change);

/// "reason" of a body: why a change is made, for the history. InvalidArgument when it has over 1000 bytes.
Result<std::string> reason_in(const json::Value& body, const std::string& otherwise);

}  // namespace imago::serve
