// SPDX-License-Identifier: Apache-2.0
// The processes that train together, as the command line sees them: those that `--nproc` asks for, or those that
// torchrun (or whoever sets its variables) has started. docs/distributed.md.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <vector>

#include "app/rendezvous.hpp"
#include "base/error.hpp"
#include "json/json.hpp"

namespace imago::app {

struct TeamOptions {
  int processes = 1;         ///< to start on this machine
  int timeout_seconds = 30;  ///< of one exchange: whoever takes longer is lost
  int start_seconds = 600;   ///< for all to come, with their data decoded
};

void add_team_options(CLI::App& command, TeamOptions& options);

class Team {
 public:
  /// By --nproc, or by RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT, LOCAL_RANK and LOCAL_WORLD_SIZE of the environment;
  /// else alone. The first process opens the table where all find one another. InvalidArgument naming the variable.
  static Result<Team> join(const TeamOptions& options);

  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] int rank() const { return rank_; }
  /// The process that holds the run: the first, or the only one.
  [[nodiscard]] bool leads() const { return rank_ == 0; }
  /// What each trainer to be started here is told of its place ("team" in docs/formats/trainer.md); none when alone.
  [[nodiscard]] const std::vector<json::Value>& places() const { return places_; }
  /// For each trainer here, when the user does not say.
  [[nodiscard]] int threads() const;

 private:
  int rank_ = 0;
  int size_ = 1;
  int on_this_machine_ = 1;
  std::vector<json::Value> places_;
  std::optional<Rendezvous> rendezvous_;  // at the first
};

}  // namespace imago::app
