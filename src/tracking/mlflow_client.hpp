// SPDX-License-Identifier: Apache-2.0
// The calls of MLflow's REST API (2.0) that a run needs, one function each.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "http/client.hpp"
#include "json/json.hpp"

namespace imago::tracking {

struct MlflowServer {
  std::string uri;         ///< "http://localhost:5000", without a slash at the end
  std::string experiment;  ///< in place of the model's name, when not empty
  std::string username, password;
  std::string token;                             ///< in place of the two
  std::chrono::milliseconds call_timeout{5000};  ///< of one call; files get longer, by their size
};

/// From the variables that MLflow's own clients read: MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME,
/// MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD, MLFLOW_TRACKING_TOKEN. Nothing when there is no address;
/// InvalidArgument for one that is no server's (http or https), as a folder's.
Result<std::optional<MlflowServer>> mlflow_from_environment();

/// As mlflow_from_environment, but for this address whatever MLFLOW_TRACKING_URI says.
Result<std::optional<MlflowServer>> mlflow_login(std::string uri);
/// `server` with its address brought to the form above, or InvalidArgument.
Result<MlflowServer> checked(MlflowServer server);

struct MlflowMetric {
  std::string key;
  double value = 0.0;
  std::int64_t timestamp = 0;  ///< ms since 1970
  std::int64_t step = 0;
};

struct MlflowRun {
  std::string id;
  std::string experiment_id;
  std::string artifact_uri;
};

/// A version of a registered model there. Its number is MLflow's; ours is one of the tags.
struct MlflowModelVersion {
  std::string version;
  std::map<std::string, std::string> tags;
};

/// Not safe from several threads. Errors of all calls: Unavailable or Timeout when it may help to try again (nobody
/// there, a 5xx, 429), Internal with the server's words when not.
class MlflowClient {
 public:
  explicit MlflowClient(MlflowServer server) : server_(std::move(server)) {}
  [[nodiscard]] const MlflowServer& server() const { return server_; }
  /// No call takes longer than until then.
  void set_deadline(std::chrono::steady_clock::time_point deadline) { deadline_ = deadline; }

  /// The id of the experiment, made when it is missing.
  Result<std::string> experiment(const std::string& name);
  /// The newest run of the experiment whose tag `key` has this value.
  Result<std::optional<MlflowRun>> find_run(const std::string& experiment_id, const std::string& key,
                                            const std::string& value);
  Result<MlflowRun> create_run(const std::string& experiment_id, const std::string& name, std::int64_t start_ms,
                               const std::map<std::string, std::string>& tags);
  /// Cut into as many calls as MLflow's limits ask for; keys and values are brought to what it takes.
  Result<void> log(const MlflowRun& run, const std::vector<MlflowMetric>& metrics,
                   const std::map<std::string, std::string>& params, const std::map<std::string, std::string>& tags);
  /// RUNNING, FINISHED, FAILED or KILLED; `end_ms` 0: not ended.
  Result<void> update(const MlflowRun& run, std::string_view status, std::int64_t end_ms);
  /// Through the server's artifact proxy. Unsupported when the run's files are kept elsewhere ("s3://...").
  Result<void> put_artifact(const MlflowRun& run, const std::string& path, std::string content);

  /// Makes the registered model unless it is there.
  Result<void> ensure_model(const std::string& name);
  Result<std::vector<MlflowModelVersion>> model_versions(const std::string& name);
  /// The run's files under `folder` as the model's next version; its number.
  Result<std::string> create_model_version(const std::string& name, const MlflowRun& run, const std::string& folder,
                                           const std::map<std::string, std::string>& tags);
  Result<void> set_model_alias(const std::string& name, const std::string& alias, const std::string& version);

 private:
  Result<http::ClientResponse> fetch(http::ClientRequest request);
  Result<json::Value> call(const std::string& method, const std::string& path, const json::Value& body);

  MlflowServer server_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

/// A key of a metric, param or tag as MLflow takes it: 1 to 250 of letters, digits, '_', '-', '.', ' ', '/', others as
/// '_'.
std::string mlflow_key(std::string_view key);
/// At most `bytes` of it, cut between characters.
std::string cut_text(std::string_view text, std::size_t bytes);

}  // namespace imago::tracking
