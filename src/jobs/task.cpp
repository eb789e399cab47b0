// SPDX-License-Identifier: Apache-2.0
#include "jobs/task.hpp"

#include "jobs/child_process.hpp"

namespace imago::jobs {
namespace {

using std::chrono::steady_clock;

ErrorCode code_from(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::Internal); ++i) {
    if (to_string(static_cast<ErrorCode>(i)) == name) return static_cast<ErrorCode>(i);
  }
  return ErrorCode::Internal;
}

}  // namespace

Error error_of(const json::Value& event) {
  return {code_from(event.value("code", "")), event.value("message", "it failed")};
}

Result<json::Value> run_task(const Task& task) {
  std::error_code error;
  if (!std::filesystem::exists(task.program, error))
    return fail(ErrorCode::Unavailable, "{} is missing: {} needs it beside this program", task.program.string(),
                task.purpose);
  const ChildOptions child{.command = {task.program.string(), task.name},
                           .input = json::dump(task.input),
                           .niceness = task.niceness,
                           .grace = std::chrono::milliseconds(200)};
  json::Value last;
  bool timed_out = false;
  const auto deadline = steady_clock::now() + task.timeout;
  const auto should_stop = [&] {
    timed_out = timed_out || steady_clock::now() >= deadline;
    return timed_out || (task.should_stop && task.should_stop());
  };
  const auto on_event = [&](const json::Value& event) {
    if (event.value("event", "") != "progress") {
      last = event;
    } else if (task.on_progress) {
      task.on_progress(event.value("done", std::size_t{0}), event.value("total", std::size_t{0}));
    }
  };
  TRY(const auto ended, run_child(child, on_event, should_stop, false));
  if (last.is_object() && last.value("event", "") == "error") return tl::unexpected<Error>(error_of(last));
  if (last.is_object() && ended.end == ChildEnd::Exited && ended.code == 0) return last;
  if (timed_out)
    return fail(ErrorCode::Timeout, "{} took longer than {} s", task.purpose,
                std::chrono::duration_cast<std::chrono::seconds>(task.timeout).count());
  if (task.should_stop && task.should_stop()) return fail(ErrorCode::Cancelled, "stopped");
  return fail(ErrorCode::Internal, "{} ended with {} {}{}{}", task.program.filename().string(),
              ended.end == ChildEnd::Signaled ? "signal" : "status", ended.code, ended.last_stderr.empty() ? "" : ": ",
              ended.last_stderr);
}

}  // namespace imago::jobs
