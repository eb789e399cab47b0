// SPDX-License-Identifier: Apache-2.0
// What stands in the query or the body of a request.
#pragma once

#include <string_view>

#include "base/error.hpp"
#include "http/server.hpp"
#include "json/json.hpp"

namespace imago::serve {

/// The whole number `name` of the query; `otherwise` when it is absent or empty. InvalidArgument, naming it, when it is
/// no number or not from `least` to `most`.
Result<int> number_in_query(const http::Request& request, std::string_view name, int otherwise, int least, int most);

/// The version of a model that a path names. InvalidArgument when it is no number from 1.
Result<int> version_number(std::string_view text);

/// The body as a JSON object; an empty one is {}. InvalidArgument or Corrupt when it is none.
Result<json::Value> json_body(const http::Request& request);

}  // namespace imago::serve
