// SPDX-License-Identifier: Apache-2.0
#include "serve/dashboard.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "web_assets.hpp"

namespace imago::serve {
namespace {

constexpr const char* kPolicy =
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; object-src 'none'; base-uri "
    "'none'; "
    "form-action 'self'; frame-ancestors 'none'";

}  // namespace

std::vector<std::string_view> asset_paths() {
  std::vector<std::string_view> paths;
  for (const auto& asset : web::assets()) paths.push_back(asset.path);
  return paths;
}

http::Response asset_response(std::string_view path, const http::Request& request) {
  const auto assets = web::assets();
  const auto found = std::ranges::find(assets, path, &web::Asset::path);
  EXPECTS(found != assets.end(), "a path of asset_paths()");
  return asset_response(*found, request);
}

http::Response asset_response(const web::Asset& asset, const http::Request& request) {
  const bool hashed_name = asset.path.starts_with("/assets/");
  http::Response response;
  response.headers["ETag"] = asset.etag;
  response.headers["Cache-Control"] = hashed_name ? "public, max-age=31536000, immutable" : "no-cache";
  if (asset.media_type.starts_with("text/html")) {
    response.headers["Content-Security-Policy"] = kPolicy;
    response.headers["Referrer-Policy"] = "no-referrer";
    response.headers["Vary"] = "Accept";  // "/" is JSON for programs
  }
  const auto known = request.header("If-None-Match");
  if (known == "*" || known.find(asset.etag) != std::string_view::npos) {
    response.status = 304;
    return response;
  }
  response.headers["Content-Type"] = asset.media_type;
  response.static_body = asset.content;
  return response;
}

}  // namespace imago::serve
