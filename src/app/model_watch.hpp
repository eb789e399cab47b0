// SPDX-License-Identifier: Apache-2.0
// The served models follow the registry: a version that is promoted or rolled back, by whomever, is served within
// about a second.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/workspace.hpp"
#include "serve/service.hpp"

namespace imago::app {

/// Loads what `wanted` stands for (serve/version_policy.hpp; when nothing is wanted, the model that was made the
/// default at run time, else the champion of the model that has the newest version, and that model stays the one), then
/// what else servers before it were told to load, and looks again once a second. What fails to load is logged and not
/// tried again until the registry says something else; what was served before goes on being served.
///
/// With a challenger, an alias or version of the model that answers /predict, that one is served beside it, if the two
/// are not the same version; while there is none, the model has all requests.
class ModelWatch {
 public:
  /// `service` and `workspace` outlive this.
  ModelWatch(serve::Service& service, pipeline::Workspace& workspace, std::vector<std::string> wanted,
             std::string challenger)
      : service_(service), workspace_(workspace), wanted_(std::move(wanted)), challenger_(std::move(challenger)) {}
  ~ModelWatch();
  ModelWatch(const ModelWatch&) = delete;
  ModelWatch& operator=(const ModelWatch&) = delete;

  /// Loads all now and returns the default version of each model that had to load, in their order. Without one that was
  /// wanted, NotFound or what else is wrong; without any in the registry, when none was wanted by name, an empty list.
  /// No challenger is no error.
  Result<std::vector<registry::ModelVersion>> load();
  /// From here on a thread of its own looks.
  void start();

 private:
  Result<std::vector<serve::HostedModel>> first_models(const std::vector<serve::HostedModel>& remembered);
  void look();
  void find_first();
  void follow_challenger(const registry::ModelVersion& serving);
  void change_challenger(const Result<registry::ModelVersion>& found, const registry::ModelVersion& serving);

  serve::Service& service_;
  pipeline::Workspace& workspace_;
  const std::vector<std::string> wanted_;
  const std::string challenger_;
  std::string challenger_seen_;  // what the challenger was at the last look, and beside what
  std::string first_tried_;      // what was tried last while nothing is served
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace imago::app
