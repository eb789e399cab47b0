// SPDX-License-Identifier: Apache-2.0
// Work in a process of its own, so that its crash is an event and not an end.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "json/json.hpp"

namespace imago::jobs {

struct ChildOptions {
  std::vector<std::string> command;  ///< program and arguments; no shell
  std::string input;                 ///< written to its standard input, then closed
  int niceness = 0;                  ///< 10 for work that must give way to serving
};

enum class ChildEnd { Exited, Signaled };

struct ChildResult {
  ChildEnd end = ChildEnd::Exited;
  int code = 0;             ///< exit status or signal
  std::string last_stderr;  ///< at most the last 8 KiB
};

/// Runs a child whose standard output is one JSON object a line and hands each to `on_event`. Blocks until it ends. The child gets
/// SIGTERM if this process dies. When `should_stop()` turns true it is sent SIGINT once, and SIGKILL 60 s later. Its standard error is
/// passed through to ours when `echo_stderr`.
Result<ChildResult> run_child(const ChildOptions& options, const std::function<void(const json::Value&)>& on_event,
                              const std::function<bool()>& should_stop, bool echo_stderr);

}  // namespace imago::jobs
