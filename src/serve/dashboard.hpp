// SPDX-License-Identifier: Apache-2.0
// The dashboard's files over HTTP.
#pragma once

#include <functional>
#include <vector>

#include "http/server.hpp"
#include "web_assets.hpp"

namespace imago::serve {

/// An asset with its ETag, how long it may be cached, and for HTML a policy that lets nothing in from elsewhere; 304
/// without the content when the client has it.
http::Response asset_response(const web::Asset& asset, const http::Request& request);

/// The asset at `path`; null when there is none.
const web::Asset* find_asset(std::string_view path);

}  // namespace imago::serve
