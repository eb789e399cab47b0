// SPDX-License-Identifier: Apache-2.0
// The API's description (docs/api/openapi.json, in the binary) and a page that shows it. docs/api/openapi.md.
#include <algorithm>

#include "serve/api.hpp"
#include "serve/dashboard.hpp"
#include "web_assets.hpp"

namespace imago::serve {
namespace {

void send_file(std::string_view path, Reply reply) {
  const auto files = web::documentation_assets();
  const auto found = std::ranges::find(files, path, &web::Asset::path);
  if (found == files.end())
    return reply.fail({ErrorCode::NotFound, fmt::format("there is nothing at {}", path)}, Blame::Request);
  reply.send(asset_response(*found, reply.request()));
}

}  // namespace

void add_documentation_routes(RouteList& routes, const Api& /*api*/) {
  for (const auto* path : {"/openapi.json", "/docs"})
    routes.add("GET", path, Scope::Open, [path](Reply reply) { send_file(path, std::move(reply)); });
  routes.add("GET", "/docs/{file}", Scope::Open, [](Reply reply) {
    const std::string path = reply.request().path;
    send_file(path, std::move(reply));
  });
  // Where FastAPI has its second page.
  routes.add("GET", "/redoc", Scope::Open, [](Reply reply) {
    reply.send({.status = 307, .headers = {{"Location", "/docs"}}});
  });
}

}  // namespace imago::serve
