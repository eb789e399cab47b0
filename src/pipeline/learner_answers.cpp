// SPDX-License-Identifier: Apache-2.0
#include "pipeline/learner_answers.hpp"

#include <cstring>

#include "base/files.hpp"
#include "base/npy.hpp"
#include "jobs/task.hpp"

namespace imago::pipeline {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 30;  // a million images of a thousand classes

Result<model::Logits> read_logits(const fs::path& path, int classes) {
  TRY(const auto bytes, read_file(path, kMostBytes));
  TRY(const auto array, read_npy(as_bytes(bytes)));
  if (array.type != "<f4" || array.shape.size() != 2 || array.shape[1] != classes)
    return fail(ErrorCode::Internal, "imago-trainer answered with other classes than the model's {}", classes);
  model::Logits logits{.n = static_cast<int>(array.shape[0]), .classes = classes, .data = {}};
  logits.data.resize(array.count());
  std::memcpy(logits.data.data(), array.data.data(), array.data.size());
  return logits;
}

Result<evaluate::Latency> read_latency(const json::Value& value) {
  evaluate::Latency latency;
  TRY(latency.calls, json::get<std::int64_t>(value, "calls"));
  TRY(latency.images_per_call, json::get<std::int64_t>(value, "images_per_call"));
  TRY(latency.mean_ms, json::get<double>(value, "mean_ms"));
  TRY(latency.p50_ms, json::get<double>(value, "p50_ms"));
  TRY(latency.p99_ms, json::get<double>(value, "p99_ms"));
  TRY(latency.images_per_second, json::get<double>(value, "images_per_second"));
  return latency;
}

}  // namespace

Result<LearnerAnswers> ask_learner(const package::ModelPackage& package, const LearnerTask& task) {
  std::error_code error;
  TRY(const auto folder, TemporaryDirectory::create(fs::temp_directory_path(error), "imago-learner"));
  const fs::path path = folder.path() / "logits.npy";
  TRY(const auto event, jobs::run_task({.program = task.trainer,
                                        .name = "classify",
                                        .purpose = "the learner",
                                        .input = {{"package", package.folder.string()},
                                                  {"datasets", task.datasets.string()},
                                                  {"dataset", task.dataset},
                                                  {"split", data::to_string(task.split)},
                                                  {"timed_images", task.timed_images},
                                                  {"logits", path.string()}},
                                        .timeout = std::chrono::hours(24),
                                        .should_stop = task.should_stop,
                                        .on_progress = task.on_progress}));
  LearnerAnswers answers;
  TRY(answers.logits, read_logits(path, package.spec.classes()));
  TRY(answers.batches, read_latency(event.value("batches", json::Value())));
  if (task.timed_images > 0) {
    TRY(answers.singles, read_latency(event.value("single_images", json::Value())));
  }
  return answers;
}

}  // namespace imago::pipeline
