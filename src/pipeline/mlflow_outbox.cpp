// SPDX-License-Identifier: Apache-2.0
#include "pipeline/mlflow_outbox.hpp"

#include <algorithm>

#include "base/files.hpp"
#include "pipeline/run_results.hpp"

namespace imago::pipeline {
namespace {

fs::path note_of(const Workspace& workspace, const std::string& run) {
  return workspace.run_folder(run) / "mlflow.json";
}

}  // namespace

Result<void> note_unsent(const Workspace& workspace, const std::string& run, const tracking::MlflowServer& server) {
  return make_directories(workspace.run_folder(run)).and_then([&] {
    return write_file_atomic(note_of(workspace, run), json::dump({{"uri", server.uri}}));
  });
}

void forget_unsent(const Workspace& workspace, const std::string& run) {
  std::error_code ignored;
  fs::remove(note_of(workspace, run), ignored);
}

std::vector<UnsentRun> unsent_runs(Workspace& workspace) {
  std::vector<UnsentRun> unsent;
  std::error_code error;
  for (fs::directory_iterator at(workspace.folder() / "runs", error), end; !error && at != end; at.increment(error)) {
    const std::string id = at->path().filename().string();
    const auto note = json::read(note_of(workspace, id));
    const auto run = note ? workspace.runs().find(id) : Result<tracking::Run>(fail(ErrorCode::NotFound, "no note"));
    if (!run || run->status == tracking::RunStatus::Running) continue;
    unsent.push_back({id, json::get_or<std::string>(*note, "uri", "").value_or("")});
  }
  std::sort(unsent.begin(), unsent.end(), [](const auto& a, const auto& b) { return a.run < b.run; });
  return unsent;
}

int send_unsent(Workspace& workspace, const tracking::MlflowServer& server, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  int sent = 0;
  for (const auto& one : unsent_runs(workspace)) {
    if (one.uri != server.uri) continue;
    const auto done = export_to_mlflow(workspace, one.run, server, deadline);
    if (done) ++sent;
    // What fails for another reason would fail again, and is no reason to keep the others waiting.
    if (!done && (done.error().code == ErrorCode::Unavailable || done.error().code == ErrorCode::Timeout)) break;
  }
  return sent;
}

}  // namespace imago::pipeline
