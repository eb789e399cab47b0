// SPDX-License-Identifier: Apache-2.0
// /v2: the Open Inference Protocol over HTTP. docs/api/open_inference.md
#pragma once

#include <memory>

#include "serve/open_inference.hpp"
#include "serve/open_inference_server.hpp"
#include "serve/route_list.hpp"

namespace imago::serve {

/// Outlives the HTTP server that has its routes.
class OpenInferenceRest {
 public:
  OpenInferenceRest(const OpenInference& core, OpenInferenceServer server);
  void add_routes(RouteList& routes);
  [[nodiscard]] const OpenInferenceServer& server() const { return server_; }

 private:
  struct Call;
  void add_model_routes(RouteList& routes);
  void add_repository_routes(RouteList& routes);

  void server_metadata(Reply reply) const;
  void model_metadata(Reply reply) const;
  void model_ready(Reply reply) const;
  void statistics(Reply reply) const;
  void infer(Reply reply);
  static InferDone answer_to(const std::shared_ptr<Call>& call);
  void repository_index(Reply reply) const;
  void load(Reply reply) const;
  void unload(Reply reply) const;

  const OpenInference& core_;
  const OpenInferenceServer server_;
};

}  // namespace imago::serve
