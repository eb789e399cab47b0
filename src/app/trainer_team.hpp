// SPDX-License-Identifier: Apache-2.0
// The trainer's place among those that train together: how they meet, and what they tell one another besides numbers.
#pragma once

#include <atomic>
#include <memory>

#include "json/json.hpp"
#include "nn/communicator.hpp"

namespace imago::app {

class TrainingTeam {
 public:
  /// From the job's "team" (docs/formats/trainer.md); alone without one. When `stop` becomes true, waiting ends.
  static Result<TrainingTeam> of(const json::Value& job, const std::atomic<bool>& stop);

  /// Holds the run: the first, or the only one.
  [[nodiscard]] bool leads() const { return settings_.rank == 0; }

  /// What to do: what the first was told, on this machine's data. Waits until the first has its data ready.
  Result<json::Value> take_job(const json::Value& told);
  /// The first has its data ready, and others may build what they lack.
  Result<void> give_job(const json::Value& told);
  /// Waits until all are ready; null when alone. The communicator lives as long as this.
  Result<nn::Communicator*> connect();

  /// Why this one ends, for the others; and when it ends for their sake, what they said.
  Error part_with(const Error& error);

 private:
  class Table;
  TrainingTeam() = default;

  nn::TeamSettings settings_;
  std::shared_ptr<Table> table_;  // none: alone
  std::shared_ptr<nn::Communicator> communicator_;
};

}  // namespace imago::app
