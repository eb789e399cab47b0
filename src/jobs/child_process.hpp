// SPDX-License-Identifier: Apache-2.0
// Work in a process of its own, so that its crash is an event and not an end.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "json/json.hpp"

namespace imago::jobs {

struct ChildOptions {
  std::vector<std::string> command;         ///< program and arguments; no shell
  std::string input;                        ///< its standard input, whole
  int niceness = 0;                         ///< 10 for work that must give way to serving
  std::chrono::milliseconds grace{60'000};  ///< between SIGINT and SIGKILL
};

enum class ChildEnd { Exited, Signaled };

struct ChildResult {
  ChildEnd end = ChildEnd::Exited;
  int code = 0;             ///< exit status or signal
  std::string last_stderr;  ///< at most the last 8 KiB
};

/// Runs a child whose standard output is one JSON object a line and hands each to `on_event`; other lines are logged as
/// warnings and skipped. Blocks until the child ends. It has a process group of its own, so that Ctrl-C on the terminal
/// reaches only us; it gets SIGTERM if this thread's process dies. When `should_stop()` (asked ten times a second)
/// turns true it is sent SIGINT once, and its group SIGKILL after `grace`. Its standard error is passed through to ours
/// when `echo_stderr`. No descriptor of ours reaches the child. NotFound when there is no such program.
Result<ChildResult> run_child(const ChildOptions& options, const std::function<void(const json::Value&)>& on_event,
                              const std::function<bool()>& should_stop, bool echo_stderr);

}  // namespace imago::jobs
