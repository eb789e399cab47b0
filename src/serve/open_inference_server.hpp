// SPDX-License-Identifier: Apache-2.0
// What every transport of the Open Inference Protocol says of the server and its repository, in its own form.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/gate.hpp"
#include "http/work_pool.hpp"
#include "json/json.hpp"
#include "monitor/metrics.hpp"
#include "serve/audit_trail.hpp"
#include "serve/hosting.hpp"
#include "serve/open_inference.hpp"
#include "serve/predictor.hpp"

namespace imago::serve {

inline constexpr const char* kServerName = "imago";
inline constexpr const char* kPlatform = "openvino_onnx";  ///< of every model

struct OpenInferenceServer {
  std::string version;                     ///< of the program
  std::function<std::string()> not_ready;  ///< why the server is not ready; empty when it is
  PredictorOptions limits;                 ///< as those of /predict
  Hosting* hosting = nullptr;              ///< null: no repository
};

/// What a transport beside HTTP works on; all outlives it.
struct OpenInferenceHost {
  const OpenInference& core;
  const OpenInferenceServer& server;
  const access::Gate& gate;
  monitor::ServerMetrics& metrics;
  http::WorkPool& blocking;     ///< for what reads files and SQL
  AuditTrail* trail = nullptr;  ///< where loading and unloading are noted; null: nowhere
};

/// Those of all transports.
std::vector<std::string_view> server_extensions(const OpenInferenceServer& server);

struct RepositoryRow {
  std::string name;
  std::string version;
  std::string_view state;  ///< "READY", "LOADING" or "UNAVAILABLE"
  std::string reason;      ///< why it is not READY
};
/// Blocks.
Result<std::vector<RepositoryRow>> repository_rows(const Hosting& hosting, bool ready_only);

/// Which version a load or unload is of, by the parameter `version`: an extension of ours. Models are what they were
/// registered as: Triton's `config` and `file:` parameters are refused as Unsupported.
Result<std::optional<int>> version_to_change(const json::Value& parameters);

}  // namespace imago::serve
