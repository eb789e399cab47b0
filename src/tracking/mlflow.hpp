// SPDX-License-Identifier: Apache-2.0
// A run of ours on an MLflow server, while it goes on or afterwards. docs/mlflow.md says what is sent.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tracking/mlflow_client.hpp"
#include "tracking/run_store.hpp"

namespace imago::tracking {

/// A file of a run: `content`, or what is in `file` when that is not empty.
struct Artifact {
  std::string path;  ///< "model/model.onnx"
  std::filesystem::path file;
  std::string content;
};

/// A model of our registry as MLflow's is to show it.
struct RegisteredModel {
  std::string name;
  int version = 0;                             ///< that the run made
  std::string digest;                          ///< likewise
  std::map<std::string, std::string> aliases;  ///< of all its versions: alias -> digest of the package
};

/// What a run has once it is over, beside what its record says.
struct RunResults {
  std::map<std::string, double> metrics;  ///< "test_accuracy"
  std::map<std::string, std::string> tags;
  std::vector<Artifact> artifacts;
  std::optional<RegisteredModel> model;  ///< its package is among the artifacts, under model/
};

/// What MLflow gets as params: the run's, nested ones under dotted names ("optimizer.kind"); the recipe's settings
/// without a "recipe." in front, its name as "recipe".
std::map<std::string, std::string> mlflow_params(const json::Value& params);

/// Brings one run to a server, and keeps it up to date there. What is on the server already is found by its tag
/// `imago.run` and not doubled, whoever sent it. Not safe from several threads.
class MlflowCopy {
 public:
  MlflowCopy(MlflowServer server, RunStore& runs, std::string run);

  /// Sends what the record has and the server has not: the run itself, params, tags, points, status. Cheap when there
  /// is nothing new. Errors of MlflowClient, and of the store.
  Result<void> update();
  /// update(), then the results: metrics at the last step, tags, files, the version in MLflow's model registry with
  /// our aliases. The status goes last.
  Result<void> complete(const RunResults& results);

  void set_deadline(std::chrono::steady_clock::time_point deadline) { client_.set_deadline(deadline); }
  /// Where people see it; of the server alone while the run is not there.
  [[nodiscard]] std::string page() const;

 private:
  Result<void> ensure_run(const Run& record);
  Result<void> send_points();
  Result<void> send_artifacts(const std::vector<Artifact>& artifacts);
  Result<void> send_model(const RegisteredModel& model);
  Result<void> send_status(const Run& record);

  MlflowClient client_;
  RunStore& runs_;
  std::string id_;
  std::optional<MlflowRun> remote_;
  bool described_ = false;  // params and tags are there
  std::string status_sent_;
  std::map<std::string, std::int64_t> sent_until_;  // by metric: the last step that was sent
};

/// A copy that is kept up to date from a thread of its own, which reads the record: nothing piles up while the server
/// is away, and whoever trains never waits for it.
class LiveMlflow {
 public:
  /// The store must outlive this.
  LiveMlflow(MlflowServer server, RunStore& runs, std::string run);
  ~LiveMlflow();
  LiveMlflow(const LiveMlflow&) = delete;
  LiveMlflow& operator=(const LiveMlflow&) = delete;

  /// The record has something new. Returns at once.
  void changed();

  /// The run is over: sends the rest, for at most `patience` in all (a call under way when this is called included).
  /// The page of the run, or why not everything was sent.
  Result<std::string> finish(const RunResults& results, std::chrono::milliseconds patience);

 private:
  void follow();
  void stop();

  MlflowCopy copy_;  // the thread's until it has ended
  std::mutex mutex_;
  std::condition_variable wake_;
  bool changed_ = true;  // guarded by mutex_, as is closing_
  bool closing_ = false;
  std::optional<Error> refused_;  // for good; the thread's until it has ended
  std::thread thread_;
};

}  // namespace imago::tracking
