// SPDX-License-Identifier: Apache-2.0
// GET /v1/audit: who changed what. docs/api/audit.md
#include <limits>

#include "access/audit.hpp"
#include "serve/api.hpp"
#include "serve/parameters.hpp"

namespace imago::serve {
namespace {

constexpr int kDefaultEntries = 100;
constexpr int kMostEntries = 1000;

Result<access::AuditFilter> filter_in(const http::Request& request) {
  access::AuditFilter filter;
  const std::pair<const char*, std::string*> texts[] = {
      {"who", &filter.who},     {"action", &filter.action},   {"target", &filter.target},
      {"via", &filter.via},     {"outcome", &filter.outcome}, {"request_id", &filter.request_id},
      {"since", &filter.since}, {"until", &filter.until}};
  for (const auto& [name, member] : texts) *member = request.parameter(name);
  TRY(filter.below, number_in_query(request, "below", 0, 0, std::numeric_limits<int>::max()));
  TRY(filter.limit, number_in_query(request, "limit", kDefaultEntries, 1, kMostEntries));
  return filter;
}

Result<json::Value> read(store::Database& database, const http::Request& request) {
  TRY(auto filter, filter_in(request));
  const auto limit = static_cast<std::size_t>(filter.limit++);  // one more tells whether there are more
  TRY(const auto entries, access::read_audit(database, filter));
  json::Value rows = json::Value::array();
  for (std::size_t i = 0; i < std::min(limit, entries.size()); ++i) rows.push_back(access::to_json(entries[i]));
  const json::Value next = entries.size() > limit ? json::Value(entries[limit - 1].number) : json::Value();
  return json::Value{{"entries", std::move(rows)}, {"next", next}};
}

}  // namespace

void add_audit_routes(RouteList& routes, const Api& api) {
  if (api.backend.database == nullptr) return;
  routes.add_blocking("GET", "/v1/audit", Scope::Admin, [&database = *api.backend.database](Reply reply) {
    const auto answer = read(database, reply.request());
    if (!answer) {
      const bool asked_wrongly = answer.error().code == ErrorCode::InvalidArgument;
      return reply.fail(answer.error(), asked_wrongly ? Blame::Request : Blame::Service);
    }
    reply.send_json(*answer);
  });
}

}  // namespace imago::serve
