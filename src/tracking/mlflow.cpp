// SPDX-License-Identifier: Apache-2.0
#include "tracking/mlflow.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/files.hpp"

namespace imago::tracking {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr const char* kRunTag = "imago.run";
constexpr const char* kDigestTag = "imago.digest";
constexpr const char* kWorkers = "workers";  // also of "workers_before"
constexpr std::uint64_t kMostArtifactBytes = std::uint64_t{1} << 30;
constexpr milliseconds kFirstPause{1000};
constexpr milliseconds kLongestPause{30'000};

std::string_view mlflow_status(RunStatus status) {
  switch (status) {
    case RunStatus::Running: return "RUNNING";
    case RunStatus::Finished: return "FINISHED";
    case RunStatus::Failed: return "FAILED";
    case RunStatus::Interrupted: return "KILLED";
  }
  return "FAILED";
}

void flatten(const json::Value& value, const std::string& name, std::map<std::string, std::string>& flat) {
  if (!value.is_object()) {
    flat.try_emplace(name, value.is_string() ? value.get<std::string>() : json::dump(value));
    return;
  }
  for (const auto& [key, member] : value.items()) flatten(member, name.empty() ? key : name + "." + key, flat);
}

std::string first_variable(std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
  return {};
}

std::string text_of(const json::Value& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::map<std::string, std::string> tags_of(const Run& run) {
  std::map<std::string, std::string> tags{{kRunTag, run.id},
                                          {"imago.kind", run.kind},
                                          {"imago.dataset", text_of(run.params, "dataset")},
                                          {"imago.model", text_of(run.params, "model")},
                                          {"mlflow.source.name", "imago"},
                                          {"mlflow.source.type", "LOCAL"},
                                          {"mlflow.user", first_variable({"USER", "LOGNAME"})}};
  const std::string commit = text_of(run.params, "git_commit");
  tags["mlflow.source.git.commit"] = commit.empty() ? first_variable({"GIT_COMMIT", "GITHUB_SHA"}) : commit;
  // No param: MLflow's stay as they are, and a run may be resumed by more or fewer.
  if (run.params.is_object() && run.params.contains(kWorkers)) tags["imago.workers"] = json::dump(run.params[kWorkers]);
  std::erase_if(tags, [](const auto& tag) { return tag.second.empty(); });
  return tags;
}

}  // namespace

std::map<std::string, std::string> mlflow_params(const json::Value& params) {
  std::map<std::string, std::string> flat;
  if (!params.is_object()) return flat;
  for (const auto& [key, value] : params.items())
    if (key != "recipe") flatten(value, key, flat);
  const auto recipe = params.find("recipe");
  if (recipe == params.end() || !recipe->is_object()) return flat;
  for (const auto& [key, value] : recipe->items()) {
    if (key == "name") {
      flatten(value, "recipe", flat);
    } else {
      flatten(value, flat.contains(key) ? "recipe." + key : key, flat);
    }
  }
  return flat;
}

MlflowCopy::MlflowCopy(MlflowServer server, RunStore& runs, std::string run)
    : client_(std::move(server)), runs_(runs), id_(std::move(run)) {}

std::string MlflowCopy::page() const {
  if (!remote_) return client_.server().uri;
  return fmt::format("{}/#/experiments/{}/runs/{}", client_.server().uri, remote_->experiment_id, remote_->id);
}

Result<void> MlflowCopy::ensure_run(const Run& record) {
  const auto tags = tags_of(record);
  if (!remote_) {
    std::string name = client_.server().experiment;
    if (name.empty()) name = text_of(record.params, "model");
    if (name.empty()) name = "imago";
    TRY(const auto experiment, client_.experiment(name));
    TRY(remote_, client_.find_run(experiment, kRunTag, record.id));
    if (!remote_) {
      TRY(remote_, client_.create_run(experiment, record.id, milliseconds_of(record.created), tags));
      status_sent_ = "RUNNING";
    }
  }
  if (!described_) {
    auto params = mlflow_params(record.params);
    std::erase_if(params, [](const auto& param) { return param.first.starts_with(kWorkers); });
    TRY_VOID(client_.log(*remote_, {}, params, tags));
  }
  described_ = true;
  return {};
}

Result<void> MlflowCopy::send_points() {
  TRY(const auto series, runs_.metrics(id_));
  std::vector<MlflowMetric> fresh;
  for (const auto& [name, points] : series) {
    const auto sent = sent_until_.find(name);
    for (const auto& point : points)
      if (sent == sent_until_.end() || point.step > sent->second)
        fresh.push_back({name, point.value, milliseconds_of(point.time), point.step});
  }
  if (fresh.empty()) return {};
  TRY_VOID(client_.log(*remote_, fresh, {}, {}));
  for (const auto& metric : fresh) {
    const auto [last, added] = sent_until_.try_emplace(metric.key, metric.step);
    if (!added) last->second = std::max(last->second, metric.step);
  }
  return {};
}

Result<void> MlflowCopy::send_status(const Run& record) {
  const auto status = mlflow_status(record.status);
  if (status == status_sent_) return {};
  TRY_VOID(client_.update(*remote_, status, milliseconds_of(record.ended)));
  status_sent_ = status;
  return {};
}

Result<void> MlflowCopy::send_artifacts(const std::vector<Artifact>& artifacts) {
  for (const auto& artifact : artifacts) {
    std::string content = artifact.content;
    if (!artifact.file.empty()) {
      TRY(content, read_file(artifact.file, kMostArtifactBytes));
    }
    TRY_VOID(client_.put_artifact(*remote_, artifact.path, std::move(content)));
  }
  return {};
}

/// MLflow numbers versions itself, so ours are found there by the digest of their package.
Result<void> MlflowCopy::send_model(const RegisteredModel& model) {
  TRY_VOID(client_.ensure_model(model.name));
  TRY(const auto there, client_.model_versions(model.name));
  std::map<std::string, std::string> number_of;
  for (const auto& one : there)
    if (const auto digest = one.tags.find(kDigestTag); digest != one.tags.end())
      number_of[digest->second] = one.version;
  if (!number_of.contains(model.digest)) {
    TRY(number_of[model.digest],
        client_.create_model_version(
            model.name, *remote_, "model",
            {{kDigestTag, model.digest}, {"imago.version", fmt::format("{}", model.version)}, {kRunTag, id_}}));
  }
  for (const auto& [alias, digest] : model.aliases) {
    // A version whose run was never sent is not there. "latest" is MLflow's own word for the newest.
    const auto number = number_of.find(digest);
    if (number == number_of.end() || alias == "latest") continue;
    TRY_VOID(client_.set_model_alias(model.name, alias, number->second));
  }
  return {};
}

Result<void> MlflowCopy::update() {
  TRY(const auto record, runs_.find(id_));
  TRY_VOID(ensure_run(record));
  TRY_VOID(send_points());
  return send_status(record);
}

Result<void> MlflowCopy::complete(const RunResults& results) {
  TRY(const auto record, runs_.find(id_));
  TRY_VOID(ensure_run(record));
  TRY_VOID(send_points());
  std::int64_t last_step = 0;
  for (const auto& [name, step] : sent_until_) last_step = std::max(last_step, step);
  std::vector<MlflowMetric> metrics;
  for (const auto& [name, value] : results.metrics)
    metrics.push_back({name, value, milliseconds_of(record.ended), last_step});
  auto tags = results.tags;
  if (!record.error.empty()) tags["imago.error"] = record.error;
  TRY_VOID(client_.log(*remote_, metrics, {}, tags));
  // A file that does not get through leaves the run with its outcome all the same.
  auto sent = send_artifacts(results.artifacts);
  if (sent && results.model) sent = send_model(*results.model);
  const auto ended = send_status(record);
  return sent ? ended : sent;
}

LiveMlflow::LiveMlflow(MlflowServer server, RunStore& runs, std::string run)
    : copy_(std::move(server), runs, std::move(run)), thread_([this] { follow(); }) {}

LiveMlflow::~LiveMlflow() { stop(); }

void LiveMlflow::changed() {
  const std::scoped_lock lock(mutex_);
  changed_ = true;
  wake_.notify_one();
}

void LiveMlflow::stop() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

/// Sends whenever there is something new; after a failure only when a pause is over, twice as long each time.
void LiveMlflow::follow() {
  milliseconds pause{0};
  std::unique_lock lock(mutex_);
  while (!refused_) {
    wake_.wait(lock, [&] { return closing_ || changed_; });
    if (!closing_ && pause.count() > 0) wake_.wait_for(lock, pause, [&] { return closing_; });
    if (closing_) return;
    changed_ = false;
    lock.unlock();
    const auto sent = copy_.update();
    lock.lock();
    if (sent) {
      pause = milliseconds(0);
      continue;
    }
    changed_ = true;
    pause = std::clamp(pause * 2, kFirstPause, kLongestPause);
    const auto code = sent.error().code;
    if (code != ErrorCode::Unavailable && code != ErrorCode::Timeout) refused_ = sent.error();
  }
}

Result<std::string> LiveMlflow::finish(const RunResults& results, milliseconds patience) {
  const auto deadline = steady_clock::now() + patience;
  stop();
  if (refused_) return tl::unexpected<Error>(*refused_);
  copy_.set_deadline(deadline);
  if (auto sent = copy_.complete(results); !sent) return pass(sent);
  return copy_.page();
}

}  // namespace imago::tracking
