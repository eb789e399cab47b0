// SPDX-License-Identifier: Apache-2.0
// The routes of a server, gathered before it starts: each with who may use it and where its handler runs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/server.hpp"
#include "http/work_pool.hpp"
#include "monitor/metrics.hpp"
#include "serve/admission.hpp"
#include "serve/reply.hpp"

namespace imago::serve {

using ApiHandler = std::function<void(Reply reply)>;

/// What routes have in common beside the gate, the pool and the metrics. All must outlive the server.
struct RouteSurroundings {
  const Cors* cors = nullptr;          ///< null: no other site's page
  store::Database* audited = nullptr;  ///< where writes are noted; null: nowhere
  int keep_days = 0;                   ///< of what is noted there; 0: for ever
};

/// The pool, gate and metrics must outlive the server that gets the routes.
class RouteList {
 public:
  RouteList(monitor::ServerMetrics& metrics, http::WorkPool& pool, const Gate& gate,
            const RouteSurroundings& surroundings = {});

  /// The handler runs on an event loop and must not block: one that writes is to go to add_blocking, which notes it in
  /// the audit log before it is answered. @param for_prediction counts in Totals.
  void add(const std::string& method, const std::string& pattern, Scope scope, ApiHandler handler,
           bool for_prediction = false);
  /// The handler runs on the pool and may read files and SQL; 503 when the pool is full.
  void add_blocking(const std::string& method, const std::string& pattern, Scope scope, ApiHandler handler);

  /// Where writes are noted, for those that come by another way; null: nowhere.
  [[nodiscard]] AuditTrail* trail() const { return trail_.get(); }
  [[nodiscard]] const std::vector<http::Route>& routes() const { return routes_; }

 private:
  monitor::ServerMetrics& metrics_;
  http::WorkPool& pool_;
  const Gate& gate_;
  const Cors* cors_;
  std::shared_ptr<AuditTrail> trail_;  // null: nothing is noted
  std::vector<http::Route> routes_;
};

}  // namespace imago::serve
