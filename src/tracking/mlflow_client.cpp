// SPDX-License-Identifier: Apache-2.0
#include "tracking/mlflow_client.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace imago::tracking {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view kApi = "/api/2.0/mlflow/";
constexpr std::string_view kArtifacts = "/api/2.0/mlflow-artifacts/artifacts/";
// mlflow/utils/validation.py of 3.17; the server checks these.
constexpr std::size_t kMetricsPerCall = 1000;
constexpr std::size_t kParamsPerCall = 100;
constexpr std::size_t kTagsPerCall = 100;
constexpr std::size_t kKeyBytes = 250;
constexpr std::size_t kParamBytes = 6000;
constexpr std::size_t kTagBytes = 8000;
constexpr std::size_t kExperimentBytes = 500;
constexpr std::size_t kCallBytes = 900'000;  // of 1e6, for the rest of the message
/// A file is given a second for each of these.
constexpr std::size_t kSlowestBytesPerSecond = 1U << 20;

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&](std::size_t k) { return k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : 0U; };
    const unsigned group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) text += kLetters[group >> shift & 63U];
  }
  const std::size_t padding = (3 - bytes.size() % 3) % 3;
  text.replace(text.size() - padding, padding, padding, '=');
  return text;
}

std::string percent_encoded(std::string_view path) {
  std::string text;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    text += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return text;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// What an answer that is no success says.
tl::unexpected<Error> refusal(const http::ClientResponse& response, std::string_view what) {
  std::string said;
  if (const auto body = json::parse(response.body); body && body->is_object())
    said = json::get_or<std::string>(*body, "message", "").value_or("");
  if (said.empty()) said = response.body.substr(0, response.body.find('\n'));
  const bool again = response.status >= 500 || response.status == 429;
  return fail(again ? ErrorCode::Unavailable : ErrorCode::Internal, "{}: status {}{}{}", what, response.status,
              said.empty() ? "" : ": ", cut_text(said, 300));
}

Result<MlflowRun> run_from(const json::Value& run) {
  TRY(const auto info, json::get<json::Value>(run, "info"));
  MlflowRun made;
  TRY(made.id, json::get<std::string>(info, "run_id"));
  TRY(made.experiment_id, json::get<std::string>(info, "experiment_id"));
  TRY(made.artifact_uri, json::get<std::string>(info, "artifact_uri"));
  return made;
}

json::Value pairs(std::map<std::string, std::string>::const_iterator& next,
                  const std::map<std::string, std::string>& all, std::size_t most, std::size_t value_bytes,
                  std::size_t& bytes) {
  json::Value rows = json::Value::array();
  while (next != all.end() && rows.size() < most && bytes < kCallBytes - kKeyBytes - kTagBytes) {
    rows.push_back({{"key", next->first}, {"value", cut_text(next->second, value_bytes)}});
    bytes += json::dump(rows.back()).size() + 1;
    ++next;
  }
  return rows;
}

/// With keys that MLflow takes; of two that become the same the first stays, as a param never changes.
std::map<std::string, std::string> with_valid_keys(const std::map<std::string, std::string>& given) {
  std::map<std::string, std::string> valid;
  for (const auto& [key, value] : given) valid.try_emplace(mlflow_key(key), value);
  return valid;
}

}  // namespace

Result<MlflowServer> checked(MlflowServer server) {
  while (server.uri.ends_with('/')) server.uri.pop_back();
  if (!server.uri.starts_with("http://") && !server.uri.starts_with("https://"))
    return fail(ErrorCode::InvalidArgument,
                "'{}' is no MLflow server: its address begins with http:// or https://, such as http://localhost:5000",
                server.uri);
  server.experiment = cut_text(server.experiment, kExperimentBytes);
  return server;
}

Result<std::optional<MlflowServer>> mlflow_login(std::string uri) {
  MlflowServer server;
  server.uri = std::move(uri);
  server.experiment = variable("MLFLOW_EXPERIMENT_NAME");
  server.username = variable("MLFLOW_TRACKING_USERNAME");
  server.password = variable("MLFLOW_TRACKING_PASSWORD");
  server.token = variable("MLFLOW_TRACKING_TOKEN");
  TRY(auto valid, checked(std::move(server)));
  return valid;
}

Result<std::optional<MlflowServer>> mlflow_from_environment() {
  auto uri = variable("MLFLOW_TRACKING_URI");
  if (uri.empty()) return std::nullopt;
  return mlflow_login(std::move(uri));
}

std::string cut_text(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
  return std::string(text.substr(0, bytes));
}

std::string mlflow_key(std::string_view key) {
  std::string valid(key.substr(0, kKeyBytes));
  std::replace_if(
      valid.begin(), valid.end(),
      [](char c) {
        return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 std::string_view("_-. /").find(c) != std::string_view::npos);
      },
      '_');
  // MLflow keeps keys as paths: "a//b", "./a" and "../a" are none.
  if (valid.empty() || valid.front() == '/' || valid.front() == '.') valid.insert(valid.begin(), '_');
  for (auto at = valid.find("//"); at != std::string::npos; at = valid.find("//")) valid.erase(at, 1);
  for (auto at = valid.find("/."); at != std::string::npos; at = valid.find("/.")) valid[at + 1] = '_';
  if (valid.ends_with('/')) valid.back() = '_';
  return valid.substr(0, kKeyBytes);
}

Result<http::ClientResponse> MlflowClient::fetch(http::ClientRequest request) {
  if (deadline_) {
    const auto left = std::chrono::duration_cast<milliseconds>(*deadline_ - steady_clock::now());
    if (left.count() <= 0) return fail(ErrorCode::Timeout, "{}: no time left", server_.uri);
    request.timeout = std::min(request.timeout, left);
  }
  if (!server_.token.empty()) {
    request.headers["Authorization"] = "Bearer " + server_.token;
  } else if (!server_.username.empty()) {
    request.headers["Authorization"] = "Basic " + base64(server_.username + ":" + server_.password);
  }
  request.headers["Expect"] = "";  // libcurl would ask first for large bodies, and wait
  return http::fetch(request);
}

Result<json::Value> MlflowClient::call(const std::string& method, const std::string& path, const json::Value& body) {
  TRY(const auto response, fetch({.method = method,
                                  .url = server_.uri + std::string(kApi) + path,
                                  .headers = {{"Content-Type", "application/json"}},
                                  .body = body.is_null() ? std::string() : json::dump(body),
                                  .timeout = server_.call_timeout}));
  if (response.status != 200) return refusal(response, path.substr(0, path.find('?')));
  auto value = json::parse(response.body);
  if (!value) return fail(ErrorCode::Internal, "{} does not answer as an MLflow server does", server_.uri);
  return value;
}

Result<std::string> MlflowClient::experiment(const std::string& name) {
  const auto look = [&]() -> Result<std::string> {
    TRY(const auto found, call("GET", "experiments/get-by-name?experiment_name=" + percent_encoded(name), nullptr));
    TRY(const auto experiment, json::get<json::Value>(found, "experiment"));
    return json::get<std::string>(experiment, "experiment_id");
  };
  if (auto found = look(); found || found.error().code != ErrorCode::Internal) return found;
  const auto made = call("POST", "experiments/create", {{"name", name}});
  if (made) return json::get<std::string>(*made, "experiment_id");
  auto after = look();  // somebody else may have made it in between
  return after ? after : Result<std::string>(tl::unexpected(made.error()));
}

Result<std::optional<MlflowRun>> MlflowClient::find_run(const std::string& experiment_id, const std::string& key,
                                                        const std::string& value) {
  TRY(const auto found, call("POST", "runs/search",
                             {{"experiment_ids", {experiment_id}},
                              {"filter", fmt::format("tags.`{}` = '{}'", key, value)},
                              {"max_results", 1}}));
  TRY(const auto runs, json::get_or<json::Value>(found, "runs", json::Value::array()));
  if (!runs.is_array() || runs.empty()) return std::nullopt;
  TRY(auto run, run_from(runs.front()));
  return run;
}

Result<MlflowRun> MlflowClient::create_run(const std::string& experiment_id, const std::string& name,
                                           std::int64_t start_ms, const std::map<std::string, std::string>& tags) {
  const auto valid = with_valid_keys(tags);
  auto next = valid.begin();
  std::size_t bytes = 0;
  TRY(const auto made, call("POST", "runs/create",
                            {{"experiment_id", experiment_id},
                             {"run_name", cut_text(name, kKeyBytes)},
                             {"start_time", start_ms},
                             {"tags", pairs(next, valid, kTagsPerCall, kTagBytes, bytes)}}));
  TRY(const auto run, json::get<json::Value>(made, "run"));
  return run_from(run);
}

Result<void> MlflowClient::log(const MlflowRun& run, const std::vector<MlflowMetric>& metrics,
                               const std::map<std::string, std::string>& params,
                               const std::map<std::string, std::string>& tags) {
  const auto valid_params = with_valid_keys(params);
  const auto valid_tags = with_valid_keys(tags);
  auto next_param = valid_params.begin();
  auto next_tag = valid_tags.begin();
  auto next_metric = metrics.begin();
  while (next_param != valid_params.end() || next_tag != valid_tags.end() || next_metric != metrics.end()) {
    std::size_t bytes = 0;
    json::Value body{{"run_id", run.id}, {"metrics", json::Value::array()}};
    body["params"] = pairs(next_param, valid_params, kParamsPerCall, kParamBytes, bytes);
    body["tags"] = pairs(next_tag, valid_tags, kTagsPerCall, kTagBytes, bytes);
    const std::size_t most = kMetricsPerCall - body["params"].size() - body["tags"].size();
    for (; next_metric != metrics.end() && body["metrics"].size() < most && bytes < kCallBytes - 1000; ++next_metric) {
      // JSON has no NaN; MLflow reads it from text.
      const json::Value value =
          std::isfinite(next_metric->value) ? json::Value(next_metric->value) : json::Value("NaN");
      body["metrics"].push_back({{"key", mlflow_key(next_metric->key)},
                                 {"value", value},
                                 {"timestamp", next_metric->timestamp},
                                 {"step", next_metric->step}});
      bytes += json::dump(body["metrics"].back()).size() + 1;
    }
    TRY_VOID(call("POST", "runs/log-batch", body));
  }
  return {};
}

Result<void> MlflowClient::update(const MlflowRun& run, std::string_view status, std::int64_t end_ms) {
  json::Value body{{"run_id", run.id}, {"status", status}};
  if (end_ms > 0) body["end_time"] = end_ms;
  TRY_VOID(call("POST", "runs/update", body));
  return {};
}

Result<void> MlflowClient::put_artifact(const MlflowRun& run, const std::string& path, std::string content) {
  std::string_view root = run.artifact_uri;
  const auto proxy = root.find(kArtifacts);
  if (root.starts_with(server_.uri + std::string(kArtifacts))) {
    root.remove_prefix(proxy + kArtifacts.size());
  } else if (root.starts_with("mlflow-artifacts:")) {  // "mlflow-artifacts:/1/ID/artifacts", or with //HOST/ in front
    root.remove_prefix(std::string_view("mlflow-artifacts:").size());
    if (root.starts_with("//")) root.remove_prefix(std::min(root.find('/', 2), root.size()));
    while (root.starts_with('/')) root.remove_prefix(1);
  } else {
    return fail(ErrorCode::Unsupported,
                "the server keeps files at {}, where only it can write: start it with --serve-artifacts", root);
  }
  const milliseconds timeout = server_.call_timeout + std::chrono::seconds(content.size() / kSlowestBytesPerSecond);
  TRY(const auto response,
      fetch({.method = "PUT",
             .url = fmt::format("{}{}{}/{}", server_.uri, kArtifacts, percent_encoded(root), percent_encoded(path)),
             .headers = {{"Content-Type", "application/octet-stream"}},
             .body = std::move(content),
             .timeout = timeout}));
  if (response.status != 200) return refusal(response, path);
  return {};
}

Result<void> MlflowClient::ensure_model(const std::string& name) {
  const auto there = call("GET", "registered-models/get?name=" + percent_encoded(name), nullptr);
  if (there) return {};
  auto made = call("POST", "registered-models/create", {{"name", name}});
  if (!made) return pass(made);
  return {};
}

Result<std::vector<MlflowModelVersion>> MlflowClient::model_versions(const std::string& name) {
  std::vector<MlflowModelVersion> versions;
  const std::string query =
      "model-versions/search?max_results=1000&filter=" + percent_encoded(fmt::format("name='{}'", name));
  std::string page;
  do {
    TRY(const auto found, call("GET", page.empty() ? query : query + "&page_token=" + percent_encoded(page), nullptr));
    TRY(const auto rows, json::get_or<json::Value>(found, "model_versions", json::Value::array()));
    for (const auto& row : rows) {
      MlflowModelVersion one;
      TRY(one.version, json::get<std::string>(row, "version"));
      TRY(const auto tags, json::get_or<json::Value>(row, "tags", json::Value::array()));
      for (const auto& tag : tags) one.tags[tag.value("key", "")] = tag.value("value", "");
      versions.push_back(std::move(one));
    }
    TRY(page, json::get_or<std::string>(found, "next_page_token", ""));
  } while (!page.empty());
  return versions;
}

Result<std::string> MlflowClient::create_model_version(const std::string& name, const MlflowRun& run,
                                                       const std::string& folder,
                                                       const std::map<std::string, std::string>& tags) {
  const auto valid = with_valid_keys(tags);
  auto next = valid.begin();
  std::size_t bytes = 0;
  TRY(const auto made, call("POST", "model-versions/create",
                            {{"name", name},
                             {"source", run.artifact_uri + "/" + folder},
                             {"run_id", run.id},
                             {"tags", pairs(next, valid, kTagsPerCall, kTagBytes, bytes)}}));
  TRY(const auto version, json::get<json::Value>(made, "model_version"));
  return json::get<std::string>(version, "version");
}

Result<void> MlflowClient::set_model_alias(const std::string& name, const std::string& alias,
                                           const std::string& version) {
  TRY_VOID(call("POST", "registered-models/alias", {{"name", name}, {"alias", alias}, {"version", version}}));
  return {};
}

}  // namespace imago::tracking
