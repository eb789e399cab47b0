// SPDX-License-Identifier: Apache-2.0
// A short piece of work in a process of its own, which answers with one event.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

#include "base/error.hpp"
#include "json/json.hpp"

namespace imago::jobs {

struct Task {
  std::filesystem::path program;  ///< imago-trainer
  std::string name;               ///< its argument, "explain"
  std::string purpose;            ///< for messages: "an explanation"
  json::Value input;              ///< on its standard input
  int niceness = 0;
  std::chrono::milliseconds timeout{30'000};
  std::function<bool()> should_stop;  ///< may be empty
  /// {"event": "progress", "done", "total"} on the way; may be empty.
  std::function<void(std::size_t done, std::size_t total)> on_progress{};
};

/// The last event of the task, whatever it is but an "error" or "progress".
/// @error what an "error" event says; Timeout, Cancelled; Unavailable when the program is not there; Internal when it
/// ended without an event.
Result<json::Value> run_task(const Task& task);

/// What an "error" event ({"code", "message"}) says.
Error error_of(const json::Value& event);

}  // namespace imago::jobs
