// SPDX-License-Identifier: Apache-2.0
// The routes of a server, gathered before it starts: each with who may use it and where its handler runs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "http/server.hpp"
#include "http/work_pool.hpp"
#include "monitor/metrics.hpp"
#include "serve/admission.hpp"
#include "serve/reply.hpp"

namespace imago::serve {

using ApiHandler = std::function<void(Reply reply)>;

/// The pool, gate and metrics must outlive the server that gets the routes.
class RouteList {
 public:
  RouteList(monitor::ServerMetrics& metrics, http::WorkPool& pool, const Gate& gate)
      : metrics_(metrics), pool_(pool), gate_(gate) {}

  /// The handler runs on an event loop and must not block. @param for_prediction counts in Totals.
  void add(const std::string& method, const std::string& pattern, Scope scope, ApiHandler handler,
           bool for_prediction = false);
  /// The handler runs on the pool and may read files and SQL; 503 when the pool is full.
  void add_blocking(const std::string& method, const std::string& pattern, Scope scope, ApiHandler handler);

  [[nodiscard]] const std::vector<http::Route>& routes() const { return routes_; }

 private:
  monitor::ServerMetrics& metrics_;
  http::WorkPool& pool_;
  const Gate& gate_;
  std::vector<http::Route> routes_;
};

}  // namespace imago::serve
