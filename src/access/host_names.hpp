// SPDX-License-Identifier: Apache-2.0
// The names a server is asked under. A page of another site can make its own name lead to this machine (DNS rebinding):
// then its browser takes us for a part of that site, and only the Host header tells.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace imago::access {

/// Whether `host`, a Host header with or without a port, is a name that no stranger can make lead here: an IP address,
/// localhost or a name under it, or one of `names` (".example.org" stands for that name and all under it, "*" for any).
bool is_known_host(std::string_view host, const std::vector<std::string>& names);

/// InvalidArgument when `name` cannot be one of the `names` above, as with a port or a path.
Result<void> check_host_name(std::string_view name);

}  // namespace imago::access
