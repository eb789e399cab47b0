// SPDX-License-Identifier: Apache-2.0
#include "serve/alias_messages.hpp"

namespace imago::serve {
namespace {

constexpr std::size_t kMostReason = 1000;

json::Value version_or_null(int version) { return version == 0 ? json::Value() : json::Value(version); }

}  // namespace

json::Value to_json(const registry::AliasChange& change) {
  return {{"name", change.model},
          {"alias", change.alias},
          {"version", version_or_null(change.version)},
          {"previous", version_or_null(change.previous.value_or(0))}};
}

Result<std::string> reason_in(const json::Value& body, const std::string& otherwise) {
  TRY(auto reason, json::get_or<std::string>(body, "reason", ""));
  if (reason.size() > kMostReason)
    return fail(ErrorCode::InvalidArgument, "'reason' has {} bytes, at most {}", reason.size(), kMostReason);
  return reason.empty() ? otherwise : reason;
}

}  // namespace imago::serve
