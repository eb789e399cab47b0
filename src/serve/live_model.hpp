// SPDX-License-Identifier: Apache-2.0
// The model that is being served: a package compiled, self-tested and batched, immutable once loaded. Swapping models
// is swapping one shared_ptr.
#pragma once

#include <filesystem>
#include <memory>

#include "base/error.hpp"
#include "infer/batcher.hpp"
#include "infer/engine.hpp"
#include "json/json.hpp"
#include "model/spec.hpp"
#include "monitor/metrics.hpp"
#include "package/package.hpp"
#include "registry/registry.hpp"
#include "serve/answer.hpp"

namespace imago::serve {

/// What answers are made of. Shared with requests in flight, which may outlive the LiveModel: they must not own the
/// batcher on whose threads they end.
struct ModelFace {
  model::ModelSpec spec;
  std::filesystem::path folder;  ///< of the package
  AnswerWriter answers;
  std::shared_ptr<monitor::ModelMetrics> metrics;
  json::Value status;  ///< "model" of /status
  json::Value
      training;  ///< what /metrics says of how the model was trained: loss, accuracy, val_loss, val_accuracy, training
  model::AbstentionPolicy abstention{};  ///< under which it answers; another one needs another LiveModel
  int abstention_change = 0;             ///< ModelVersion::abstention_change
  infer::BatcherOptions batching{};      ///< as with the policy
};

class LiveModel {
 public:
  /// Compiles, replays the golden set, warms up, starts the batcher. Corrupt when this machine does not reproduce the
  /// stored logits.
  static Result<std::shared_ptr<const LiveModel>> load(const package::ModelPackage& package,
                                                       const registry::ModelVersion& version,
                                                       const infer::EngineOptions& engine,
                                                       const infer::BatcherOptions& batching,
                                                       std::shared_ptr<infer::ComputeBudget> budget,
                                                       monitor::ServerMetrics& metrics);

  ~LiveModel();

  [[nodiscard]] const std::shared_ptr<const ModelFace>& face() const { return face_; }
  /// Safe from any thread.
  [[nodiscard]] infer::Batcher& batcher() const { return *batcher_; }
  /// Images that wait; its metrics are told as well.
  std::size_t publish_queue_depth() const;

 private:
  LiveModel() = default;

  std::shared_ptr<const ModelFace> face_;
  std::unique_ptr<infer::Engine> engine_;
  std::unique_ptr<infer::Batcher> batcher_;  // after engine_: it goes first
};

/// "model" of /status: name, version, digest, labels, input, architecture, parameters, macs, created, test, lineage.
json::Value describe_model(const package::ModelPackage& package, const registry::ModelVersion& version);

/// S0's view of training, from the package's report: arrays by epoch, empty when the report has no history.
json::Value describe_training(const package::ModelPackage& package);

}  // namespace imago::serve
