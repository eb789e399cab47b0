// SPDX-License-Identifier: Apache-2.0
// What a person sees of a training: the live line, and a line an epoch.
#pragma once

#include <string>

#include "app/terminal.hpp"
#include "json/json.hpp"

namespace imago::app {

/// Takes the events of docs/formats/trainer.md. Not safe from several threads.
class TrainingDisplay {
 public:
  explicit TrainingDisplay(ProgressStyle style) : progress_(style) {}

  void on_event(const json::Value& event);
  /// A line that stays.
  void print(const std::string& text) { progress_.print(text); }
  void show(const std::string& text) { progress_.show(text); }
  void end() { progress_.end(); }

 private:
  void on_start(const json::Value& event);
  void on_weights(const json::Value& event);
  void on_step(const json::Value& event);
  void on_epoch(const json::Value& event);

  Progress progress_;
  std::string run_;
};

}  // namespace imago::app
