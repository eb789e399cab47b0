// SPDX-License-Identifier: Apache-2.0
// /v2: the Open Inference Protocol over HTTP. docs/api/open_inference.md
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "http/work_pool.hpp"
#include "serve/hosting.hpp"
#include "serve/open_inference.hpp"
#include "serve/predictor.hpp"
#include "serve/route_list.hpp"

namespace imago::serve {

struct OpenInferenceServer {
  std::string version;                     ///< of the program
  std::function<std::string()> not_ready;  ///< why the server is not ready; empty when it is
  PredictorOptions limits;                 ///< as those of /predict
  Hosting* hosting = nullptr;              ///< null: no repository
};

/// Outlives the HTTP server that has its routes.
class OpenInferenceRest {
 public:
  OpenInferenceRest(const OpenInference& core, OpenInferenceServer server);
  void add_routes(RouteList& routes);

 private:
  struct Call;
  void add_model_routes(RouteList& routes);
  void add_repository_routes(RouteList& routes);

  void server_metadata(Reply reply) const;
  void model_metadata(Reply reply) const;
  void model_ready(Reply reply) const;
  void statistics(Reply reply) const;
  void infer(Reply reply);
  void run_later(const std::shared_ptr<Call>& call, std::function<void()> work);
  void run(const std::shared_ptr<Call>& call) const;
  void repository_index(Reply reply) const;
  void load(Reply reply) const;
  void unload(Reply reply) const;

  const OpenInference& core_;
  const OpenInferenceServer server_;
  http::WorkPool workers_;  // for requests too large for an event loop
};

}  // namespace imago::serve
