// SPDX-License-Identifier: Apache-2.0
// The served models follow the registry: a version that is promoted or rolled back, by whomever, is served within
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
///
/// With a challenger, an alias or version of the same model, that one is served beside it, if the two are not the same
/// version; while there is none, the model has all requests.
class ModelWatch {
 public:
  /// `service` and `workspace` outlive this.
  ModelWatch(serve::Service& service, pipeline::Workspace& workspace, std::string wanted, std::string challenger)
      : service_(service), workspace_(workspace), wanted_(std::move(wanted)), challenger_(std::move(challenger)) {}
  ~ModelWatch();
  ModelWatch(const ModelWatch&) = delete;
  ModelWatch& operator=(const ModelWatch&) = delete;

  /// Loads both now and returns what the first is. NotFound when the registry has none; no challenger is no error.
  Result<registry::ModelVersion> load();
  /// From here on a thread of its own looks.
  void start();

 private:
  void look();
  void follow_main();
  void follow_challenger();
  void change_challenger(const Result<registry::ModelVersion>& found);
  Result<void> load(const registry::ModelVersion& version);

  serve::Service& service_;
  pipeline::Workspace& workspace_;
  std::string wanted_;  // this and the next ones are used before start() and in the thread only
  const std::string challenger_;
  std::string tried_;                              // what the last load was of
  std::optional<registry::ModelVersion> serving_;  // the last that was loaded
  std::string challenger_seen_;                    // what the challenger was at the last look, and beside what
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace imago::app
