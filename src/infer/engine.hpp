// SPDX-License-Identifier: Apache-2.0
// A package, compiled by OpenVINO for this machine.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "model/classifier.hpp"
#include "package/package.hpp"

namespace imago::infer {

struct EngineOptions {
  int threads = 0;  ///< cores for one inference; 0: all
  int streams = 0;  ///< inferences at the same time (by clones); 0: as many as the cores allow at `threads` each
  std::optional<model::Views> views{};  ///< rather than those of the package's spec
};

/// Compiles the package's ONNX; one Engine may be used from one thread at a time (see clone). Batches of any size.
/// Computes in float32 whatever the processor would like better: the golden contract asks for 1e-4.
class Engine : public model::Classifier {
 public:
  /// Corrupt when the file is no ONNX or does not fit the spec; Unsupported when the network has other than one input
  /// and one output.
  static Result<std::unique_ptr<Engine>> load(const package::ModelPackage& package, const EngineOptions& options = {});
  ~Engine() override;

  [[nodiscard]] int classes() const override;
  [[nodiscard]] const model::InputShape& input_shape() const;
  /// Clones that can compute at the same time without getting into each other's way.
  [[nodiscard]] int streams() const;
  /// An empty batch gives no rows. The mean over the spec's views.
  Result<model::Logits> classify(const image::ImageBatch& batch) override;

  /// Another engine on what is compiled already, for another thread: streams() of them compute at the same time, one
  /// more waits for its turn. Cheap.
  [[nodiscard]] std::unique_ptr<Engine> clone() const;

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  Result<model::Logits> infer(const image::ImageBatch& batch);
  std::unique_ptr<Impl> impl_;
};

/// "OpenVINO 2026.4.1, CPU".
std::string backend_description();

}  // namespace imago::infer
