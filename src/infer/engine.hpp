// SPDX-License-Identifier: Apache-2.0
// A package, compiled by OpenVINO for this machine.
#pragma once

#include <memory>
#include <string>

#include "base/error.hpp"
#include "model/classifier.hpp"
#include "package/package.hpp"

namespace imago::infer {

struct EngineOptions {
  int threads = 0;  ///< for one inference; 0: all
};

/// Compiles the package's ONNX; one Engine may be used from one thread at a time (see clone). Batches of any size.
class Engine : public model::Classifier {
 public:
  static Result<std::unique_ptr<Engine>> load(const package::ModelPackage& package, const EngineOptions& options = {});
  ~Engine() override;

  [[nodiscard]] int classes() const override;
  Result<model::Logits> classify(const image::ImageBatch& batch) override;

  /// Another request on the same compiled network, for another thread. Cheap.
  [[nodiscard]] std::unique_ptr<Engine> clone() const;

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// "OpenVINO 2026.4.1, CPU".
std::string backend_description();

}  // namespace imago::infer
