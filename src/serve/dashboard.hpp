// SPDX-License-Identifier: Apache-2.0
// The dashboard's files over HTTP.
#pragma once

#include <string_view>
#include <vector>

#include "http/server.hpp"

namespace imago::web {
struct Asset;
}

namespace imago::serve {

inline constexpr std::string_view kDashboardPage = "/index.html";

/// The paths of all files in the binary; empty when it was built without a dashboard. They live as long as the program.
std::vector<std::string_view> asset_paths();

/// The file at `path`, one of asset_paths(), with its ETag, how long it may be cached, and for HTML a policy that lets
/// nothing in from elsewhere; 304 without the content when the client has it.
http::Response asset_response(std::string_view path, const http::Request& request);
/// The same for any file in the binary.
http::Response asset_response(const web::Asset& asset, const http::Request& request);

}  // namespace imago::serve
