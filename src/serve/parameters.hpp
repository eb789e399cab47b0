// SPDX-License-Identifier: Apache-2.0
// What stands in the query of a request.
#pragma once

#include <string_view>

#include "base/error.hpp"
#include "http/server.hpp"

namespace imago::serve {

/// The whole number `name` of the query; `otherwise` when it is absent or empty. InvalidArgument, naming it, when it is
/// no number or not from `least` to `most`.
Result<int> number_in_query(const http::Request& request, std::string_view name, int otherwise, int least, int most);

}  // namespace imago::serve
