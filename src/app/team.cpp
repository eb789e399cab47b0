// SPDX-License-Identifier: Apache-2.0
#include "app/team.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>
#include <thread>

namespace imago::app {
namespace {

constexpr int kMostWorkers = 4096;

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

/// A number from the environment; `missing` when it is not there, an error when that is negative.
Result<int> number(const char* name, int least, int most, int missing = -1) {
  const auto text = variable(name);
  if (!text && missing >= 0) return missing;
  if (!text) return fail(ErrorCode::InvalidArgument, "RANK and WORLD_SIZE are set, but {} is not", name);
  int value = 0;
  const char* end = text->data() + text->size();
  if (const auto read = std::from_chars(text->data(), end, value);
      read.ec != std::errc() || read.ptr != end || value < least || value > most)
    return fail(ErrorCode::InvalidArgument, "{} is '{}': a whole number from {} to {}", name, *text, least, most);
  return value;
}

/// torchrun's own table is behind MASTER_PORT and speaks another language with every version of PyTorch: ours is behind
/// the next port.
Result<int> meeting_port() {
  TRY(const int port, number("MASTER_PORT", 1, 65'534));
  return variable("TORCHELASTIC_USE_AGENT_STORE") == "True" ? port + 1 : port;
}

json::Value place(int rank, int size, int local_rank, const std::string& address, int port,
                  const TeamOptions& options) {
  return {{"rank", rank},
          {"size", size},
          {"local_rank", local_rank},
          {"address", address},
          {"port", port},
          {"timeout_seconds", options.timeout_seconds},
          {"start_seconds", options.start_seconds}};
}

}  // namespace

void add_team_options(CLI::App& command, TeamOptions& options) {
  command
      .add_option("--nproc", options.processes,
                  "Processes on this machine that share each batch; for several machines see docs/distributed.md")
      ->check(CLI::Range(1, kMostWorkers))
      ->capture_default_str();
  command
      .add_option("--worker-timeout", options.timeout_seconds,
                  "A worker that keeps the others waiting for so many seconds is lost")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  command
      .add_option("--start-timeout", options.start_seconds,
                  "Seconds for all workers to come, with their data set decoded")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
}

Result<Team> Team::join(const TeamOptions& options) {
  Team team;
  const bool launched = variable("RANK") && variable("WORLD_SIZE");
  if (launched) {
    TRY(team.size_, number("WORLD_SIZE", 1, kMostWorkers));
    TRY(team.rank_, number("RANK", 0, team.size_ - 1));
  }
  if (launched && team.size_ > 1) {
    if (options.processes > 1)
      return fail(ErrorCode::InvalidArgument, "--nproc {} inside a launch of {} workers: leave it out",
                  options.processes, team.size_);
    const auto address = variable("MASTER_ADDR");
    if (!address) return fail(ErrorCode::InvalidArgument, "RANK and WORLD_SIZE are set, but MASTER_ADDR is not");
    TRY(const int port, meeting_port());
    TRY(const int local_rank, number("LOCAL_RANK", 0, kMostWorkers, 0));
    TRY(team.on_this_machine_, number("LOCAL_WORLD_SIZE", 1, kMostWorkers, 1));
    if (team.leads()) {
      TRY(team.rendezvous_, Rendezvous::open(*address, port));
    }
    team.places_.push_back(place(team.rank_, team.size_, local_rank, *address, port, options));
  } else if (options.processes > 1) {
    team.size_ = team.on_this_machine_ = options.processes;
    const std::string address = "127.0.0.1";
    TRY(team.rendezvous_, Rendezvous::open(address, 0));
    for (int rank = 0; rank < team.size_; ++rank)
      team.places_.push_back(place(rank, team.size_, rank, address, team.rendezvous_->port(), options));
  }
  return team;
}

int Team::threads() const {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / on_this_machine_);
}

}  // namespace imago::app
