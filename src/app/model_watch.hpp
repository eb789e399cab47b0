// SPDX-License-Identifier: Apache-2.0
// The served model follows the registry: a version that is promoted or rolled back, by whomever, is served within
// about a second.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include "pipeline/workspace.hpp"
#include "serve/service.hpp"

namespace imago::app {

/// Loads what `wanted` stands for (see choose_model; when it names none, the model found first stays the one) and looks
/// again once a second. What fails to load is logged and
/// not tried again until the registry says something else; what was served before goes on being served.
class ModelWatch {
 public:
  /// `service` and `workspace` outlive this.
  ModelWatch(serve::Service& service, pipeline::Workspace& workspace, std::string wanted)
      : service_(service), workspace_(workspace), wanted_(std::move(wanted)) {}
  ~ModelWatch();
  ModelWatch(const ModelWatch&) = delete;
  ModelWatch& operator=(const ModelWatch&) = delete;

  /// Loads now and returns what was loaded. NotFound when the registry has none.
  Result<registry::ModelVersion> load();
  /// From here on a thread of its own looks.
  void start();

 private:
  void look();
  Result<void> load(const registry::ModelVersion& version);

  serve::Service& service_;
  pipeline::Workspace& workspace_;
  std::string wanted_;  // this and the next are used before start() and in the thread only
  std::string tried_;   // what the last load was of
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace imago::app
