// SPDX-License-Identifier: Apache-2.0
#include "serve/route_list.hpp"

#include <memory>

namespace imago::serve {

void RouteList::add(const std::string& method, const std::string& pattern, Scope scope, ApiHandler handler,
                    bool for_prediction) {
  const auto handle = [&metrics = metrics_, &gate = gate_, scope, handler = std::move(handler), for_prediction](
                          const http::Request& request, http::Responder responder) {
    Reply reply(request, std::move(responder), metrics, for_prediction);
    if (admit(gate, reply, scope)) handler(std::move(reply));
  };
  routes_.push_back({method, pattern, handle});
}

void RouteList::add_blocking(const std::string& method, const std::string& pattern, Scope scope, ApiHandler handler) {
  add(method, pattern, scope, [&pool = pool_, handler = std::move(handler)](Reply reply) {
    const auto shared = std::make_shared<Reply>(std::move(reply));
    if (!pool.try_run([shared, handler] { handler(std::move(*shared)); }))
      shared->fail({ErrorCode::ResourceExhausted, "too many requests of this kind are waiting"}, Blame::Service);
  });
}

}  // namespace imago::serve
