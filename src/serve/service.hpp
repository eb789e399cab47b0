// SPDX-License-Identifier: Apache-2.0
// The server: its models, its routes, its metrics. docs/api.md says what each route takes and answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "access/gate.hpp"
#include "base/error.hpp"
#include "http/server.hpp"
#include "infer/batcher.hpp"
#include "infer/engine.hpp"
#include "package/package.hpp"
#include "registry/registry.hpp"
#include "serve/api.hpp"
#include "serve/cors.hpp"
#include "serve/hosting.hpp"
#include "serve/open_inference_server.hpp"
#include "serve/predictor.hpp"

namespace imago::serve {

struct ServeOptions {
  http::ServerOptions http;
  infer::EngineOptions engine{.threads =
                                  1};  ///< a batch is computed on one core; the batcher's workers are the parallelism
  infer::BatcherOptions batcher;
  PredictorOptions predictor;
  access::GateOptions gate;
  Cors cors;                            ///< which other sites' pages may use the server
  int keep_audit_days = 0;              ///< of the audit log; 0: for ever
  bool metrics_are_prometheus = false;  ///< what /metrics gives to a client that does not say
  std::chrono::milliseconds unready_wait{
      0};  ///< between "not ready" and refusing connections, for load balancers to notice
  std::chrono::milliseconds drain_patience{30'000};
  double challenger_share = 0.0;                   ///< of predictions, in [0, 1], once there is a challenger
  std::uint64_t ab_seed = std::random_device{}();  ///< for draws between the two
  std::optional<Backend> backend;                  ///< none: predictions and nothing else
  std::string version;                             ///< of the program, as /status and the metrics show it
};

/// Until a model is loaded the server is alive but not ready: /predict and /ready say why, with a 503.
class Service {
 public:
  static Result<std::unique_ptr<Service>> start(const ServeOptions& options);
  ~Service();

  [[nodiscard]] int port() const;
  /// As http::Server::ports.
  [[nodiscard]] std::vector<int> ports() const;

  /// What is served, following the registry of the backend, which there must be. The first model hosted is the one that
  /// answers /predict. While there is none, /ready tells why the last one did not load.
  [[nodiscard]] Hosting& hosting();

  /// For the Open Inference Protocol over something else than HTTP; valid as long as the service.
  [[nodiscard]] OpenInferenceHost open_inference();

  /// For a server without a registry: compiles and self-tests the package, then serves it, and it alone of its model,
  /// from the next request on; requests under way end on the model they began with. On failure the model served before
  /// stays; without one, /ready tells the reason. Safe from any thread.
  Result<void> load_model(const package::ModelPackage& package, const registry::ModelVersion& version);

  /// The same for the challenger of an A/B test (docs/ab.md), which answers its share of predictions beside the main
  /// model. Everything else (explanations, uploads, training) goes by that model alone. On failure there is no
  /// challenger.
  Result<void> load_challenger(const package::ModelPackage& package, const registry::ModelVersion& version);

  /// From the next request on the main model answers all.
  void drop_challenger();

  /// What /ready says while no model is loaded; at first "no model yet: train one with `imago train`".
  void set_not_ready(std::string reason);

  /// As http::Server::replace_tls. Safe from any thread.
  Result<void> replace_tls(const http::TlsIdentity& identity);

  /// From here on /startup says 200: what was to be loaded at the start is loaded, or there is nothing to load.
  void set_started();

  /// For SIGTERM: not ready, a wait, no new connections, the requests that are in are answered, return. After the wait
  /// `others` drain at the same time.
  void drain(const std::function<void()>& others = {});

 private:
  struct Impl;
  explicit Service(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace imago::serve
