// SPDX-License-Identifier: Apache-2.0
// What a person sees of a training: the live line, a line an epoch, the curves.
#pragma once

#include <map>
#include <string>
#include <vector>

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
  /// Training and validation, loss and accuracy, an epoch a column; empty before the second epoch.
  [[nodiscard]] std::string curves() const;
  /// 'c' prints the curves so far, 'q' asks for a stop, others print which keys there are. Whether to stop.
  bool on_key(char key);

 private:
  void on_start(const json::Value& event);
  void on_weights(const json::Value& event);
  void on_step(const json::Value& event);
  void on_epoch(const json::Value& event);
  void on_done(const json::Value& event);
  void keep(const json::Value& epoch);

  Progress progress_;
  std::string run_;
  std::map<std::string, std::vector<double>> epochs_;  // by metric
};

}  // namespace imago::app
