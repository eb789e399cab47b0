// SPDX-License-Identifier: Apache-2.0
// Whoever wants to follow runs as they happen, such as a tracking server elsewhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "registry/registry.hpp"
#include "tracking/run_store.hpp"

namespace imago::pipeline {

/// Told by the process that carries out a run, in this order, from one thread. What goes wrong in it must stay in it: a
/// run goes on whether somebody looks or not.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  /// Begins, or goes on after an interruption (`resumed`): then the same run was started here before.
  virtual void on_start(const tracking::Run& /*run*/, bool /*resumed*/) {}
  /// One epoch's loss, accuracy, val_loss, val_accuracy, learning_rate, `step` being the epoch; or "step/..." and
  /// "system/..." of a step, about one a second. Either may come again after a resume.
  virtual void on_metrics(const tracking::Run& /*run*/, std::int64_t /*step*/,
                          const std::map<std::string, double>& /*values*/) {}
  /// `package` is the sealed package in the registry: model.onnx, weights.safetensors, spec.json, report.json.
  virtual void on_registered(const tracking::Run& /*run*/, const registry::ModelVersion& /*version*/,
                             const std::filesystem::path& /*package*/) {}
  /// `run` has its final status, summary and error.
  virtual void on_end(const tracking::Run& /*run*/) {}
};

/// All who follow, told in the order in which they were added.
class RunObservers final : public RunObserver {
 public:
  void add(std::unique_ptr<RunObserver> observer) { observers_.push_back(std::move(observer)); }
  void on_start(const tracking::Run& run, bool resumed) override {
    for (const auto& observer : observers_) observer->on_start(run, resumed);
  }
  void on_metrics(const tracking::Run& run, std::int64_t step, const std::map<std::string, double>& values) override {
    for (const auto& observer : observers_) observer->on_metrics(run, step, values);
  }
  void on_registered(const tracking::Run& run, const registry::ModelVersion& version,
                     const std::filesystem::path& package) override {
    for (const auto& observer : observers_) observer->on_registered(run, version, package);
  }
  void on_end(const tracking::Run& run) override {
    for (const auto& observer : observers_) observer->on_end(run);
  }

 private:
  std::vector<std::unique_ptr<RunObserver>> observers_;
};

}  // namespace imago::pipeline
