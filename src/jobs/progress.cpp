// SPDX-License-Identifier: Apache-2.0
#include "jobs/progress.hpp"

#include <algorithm>

namespace imago::jobs {
namespace {

// Shares of the whole: decoding, training, writing the package; what is left is measuring.
constexpr double kPrepared = 0.05, kTrained = 0.9, kPackaged = 0.92;

double number(const json::Value& event, const char* key) { return json::get_or<double>(event, key, 0.0).value_or(0.0); }

double share(const json::Value& event, const char* done, const char* total) {
  const double whole = number(event, total);
  return whole > 0.0 ? std::clamp(number(event, done) / whole, 0.0, 1.0) : 0.0;
}

void copy(const json::Value& event, const char* key, json::Value& to, const char* name = nullptr) {
  if (event.contains(key)) to[name == nullptr ? key : name] = event[key];
}

void advance(json::Value& progress, const char* stage, double part, std::string message) {
  progress["stage"] = stage;
  progress["progress"] = std::max(part, number(progress, "progress"));
  progress["message"] = std::move(message);
}

void on_step(json::Value& progress, const json::Value& event) {
  for (const char* key : {"epoch", "epochs", "step", "total_steps", "loss", "accuracy", "images_per_second"})
    copy(event, key, progress);
  copy(event, "remaining", progress, "eta_seconds");
  advance(progress, "training", kPrepared + (kTrained - kPrepared) * share(event, "step", "total_steps"),
          fmt::format("epoch {:.0f} of {:.0f}", number(event, "epoch"), number(event, "epochs")));
}

void on_epoch(json::Value& progress, const json::Value& event) {
  for (const char* key : {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}) copy(event, key, progress);
  json::Value epoch = event;
  epoch.erase("event");
  json::Value& history = progress["history"];
  if (!history.is_array()) history = json::Value::array();
  const auto same = [&](const json::Value& other) { return other.value("epoch", 0) == epoch.value("epoch", -1); };
  if (const auto before = std::find_if(history.begin(), history.end(), same); before != history.end()) {
    *before = std::move(epoch);
  } else {
    history.push_back(std::move(epoch));
  }
}

}  // namespace

void fold_event(json::Value& progress, const json::Value& event) {
  if (!progress.is_object()) progress = json::Value::object();
  const std::string kind = json::get_or<std::string>(event, "event", "").value_or("");
  if (kind == "run") copy(event, "run", progress);
  if (kind == "note") advance(progress, "preparing", 0.0, event.value("message", ""));
  if (kind == "prepare")
    advance(progress, "preparing", kPrepared * share(event, "done", "total"),
            "decoding " + json::get_or<std::string>(event, "stage", "").value_or(""));
  if (kind == "start") advance(progress, "training", kPrepared, "training begins");
  if (kind == "step") on_step(progress, event);
  if (kind == "epoch") on_epoch(progress, event);
  if (kind == "done") copy(event, "steps", progress, "step");
  if (kind == "package") advance(progress, "packaging", kTrained, "writing the model package");
  if (kind == "evaluate")
    advance(progress, "evaluating", kPackaged + (1.0 - kPackaged) * share(event, "done", "total"),
            "measuring on the test images");
}

json::Value status_of(const std::optional<Job>& job) {
  const bool running = job && job->state == JobState::Running;
  json::Value status{{"status", job ? to_string(job->state) : "idle"},
                     {"is_training", running},
                     {"job_id", nullptr},
                     {"kind", nullptr},
                     {"progress", 0.0},
                     {"epoch", 0},
                     {"epochs", 0},
                     {"step", 0},
                     {"total_steps", 0},
                     {"loss", nullptr},
                     {"accuracy", nullptr},
                     {"val_loss", nullptr},
                     {"val_accuracy", nullptr},
                     {"images_per_second", nullptr},
                     {"eta_seconds", nullptr},
                     {"stage", nullptr},
                     {"message", ""},
                     {"result", nullptr},
                     {"error", nullptr},
                     {"run", nullptr},
                     {"history", json::Value::array()},
                     {"created", nullptr},
                     {"started", nullptr},
                     {"ended", nullptr}};
  if (!job) return status;
  status["job_id"] = job->id;
  status["kind"] = job->kind;
  if (job->progress.is_object()) status.update(job->progress);
  status["result"] = job->result;
  if (job->result.is_object()) copy(job->result, "run", status);
  if (!job->error.empty()) status["error"] = job->error;
  if (job->state == JobState::Done) status["progress"] = 1.0;
  if (job->state == JobState::Queued) status["message"] = "waiting for its turn";
  if (running && job->cancel_requested) status["message"] = "stopping";
  if (job->state == JobState::Failed) status["message"] = job->error;
  if (job->state == JobState::Cancelled) status["message"] = "stopped on request";
  if (job->state == JobState::Done && job->result.is_object()) copy(job->result, "verdict", status, "message");
  if (!running) status["eta_seconds"] = nullptr;
  status["created"] = job->created;
  if (!job->started.empty()) status["started"] = job->started;
  if (!job->ended.empty()) status["ended"] = job->ended;
  return status;
}

json::Value summary_of(const Job& job) {
  const auto or_null = [](const std::string& text) { return text.empty() ? json::Value() : json::Value(text); };
  json::Value summary{{"id", job.id},
                      {"kind", job.kind},
                      {"state", to_string(job.state)},
                      {"model", nullptr},
                      {"dataset", nullptr},
                      {"recipe", nullptr},
                      {"epochs", nullptr},
                      {"images", nullptr},
                      {"progress", job.state == JobState::Done ? 1.0 : number(job.progress, "progress")},
                      {"result", job.result},
                      {"error", or_null(job.error)},
                      {"attempts", job.attempts},
                      {"created", job.created},
                      {"started", or_null(job.started)},
                      {"ended", or_null(job.ended)}};
  for (const char* key : {"model", "dataset", "recipe", "epochs"}) copy(job.payload, key, summary);
  if (job.payload.contains("files")) summary["images"] = job.payload["files"].size();
  return summary;
}

json::Value to_json(const Job& job) {
  json::Value whole = summary_of(job);
  whole["payload"] = job.payload;
  whole["progress"] = job.progress;
  whole["status"] = status_of(job);
  return whole;
}

}  // namespace imago::jobs
