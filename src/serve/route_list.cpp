// SPDX-License-Identifier: Apache-2.0
#include "serve/route_list.hpp"

#include <memory>

namespace imago::serve {

RouteList::RouteList(monitor::ServerMetrics& metrics, http::WorkPool& pool, const Gate& gate,
                     const RouteSurroundings& surroundings)
    : metrics_(metrics), pool_(pool), gate_(gate), cors_(surroundings.cors) {
  if (surroundings.audited != nullptr)
    trail_ = std::make_shared<AuditTrail>(*surroundings.audited, pool, surroundings.keep_days);
}

void RouteList::add(const std::string& method, const std::string& pattern, Scope scope, ApiHandler handler,
                    bool for_prediction) {
  const bool writes = method != "GET" && (scope == Scope::Write || scope == Scope::Admin);
  const auto handle = [&metrics = metrics_, &gate = gate_, cors = cors_, trail = writes ? trail_ : nullptr, scope,
                       handler = std::move(handler),
                       for_prediction](const http::Request& request, http::Responder responder) {
    Reply reply(request, std::move(responder), metrics, for_prediction);
    if (cors != nullptr) reply.share_with(*cors);
    if (trail) reply.record_in(trail);
    if (admit(gate, reply, scope)) handler(std::move(reply));
  };
  routes_.push_back({method, pattern, handle});
}

void RouteList::add_blocking(const std::string& method, const std::string& pattern, Scope scope, ApiHandler handler) {
  add(method, pattern, scope, [&pool = pool_, handler = std::move(handler)](Reply reply) {
    const auto shared = std::make_shared<Reply>(std::move(reply));
    const auto work = [shared, handler] {
      shared->leave_event_loop();
      handler(std::move(*shared));
    };
    if (!pool.try_run(work))
      shared->fail({ErrorCode::ResourceExhausted, "too many requests of this kind are waiting"}, Blame::Service);
  });
}

}  // namespace imago::serve
