// SPDX-License-Identifier: Apache-2.0
// imago-trainer: one job, training or another, from standard input; its progress and result as JSON lines on
// standard output (docs/formats/trainer.md). Started by imago, which measures and registers what comes of it.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <optional>

#include "app/trainer_job.hpp"
#include "app/trainer_team.hpp"
#include "app/trainer_usage.hpp"
#include "base/files.hpp"
#include "data/aliases.hpp"
#include "data/fetch.hpp"
#include "evaluate/calibration.hpp"
#include "evaluate/predictions.hpp"
#include "model/initial_weights.hpp"
#include "model/safetensors.hpp"
#include "onnx/onnx_writer.hpp"
#include "package/package.hpp"
#include "train/replay.hpp"
#include "weights/read_weights.hpp"

namespace {

using namespace imago;
using app::emit;
using app::TrainingJob;
using std::chrono::steady_clock;

constexpr auto kBetweenSteps = std::chrono::milliseconds(100);

std::atomic<bool> stop{false};
extern "C" void on_stop_signal(int) { stop = true; }

double seconds(std::chrono::milliseconds duration) { return std::chrono::duration<double>(duration).count(); }

json::Value to_json(const train::EpochEvent& epoch) {
  return {{"epoch", epoch.epoch},
          {"loss", epoch.loss},
          {"accuracy", epoch.accuracy},
          {"val_loss", epoch.val_loss},
          {"val_accuracy", epoch.val_accuracy},
          {"learning_rate", epoch.learning_rate},
          {"elapsed", seconds(epoch.elapsed)},
          {"best", epoch.best}};
}

/// Steps at most ten a second; every epoch.
class Reporter final : public train::Observer {
 public:
  void on_note(const std::string& note) override { emit({{"event", "note"}, {"message", note}}); }

  void on_step(const train::StepEvent& step) override {
    const auto now = steady_clock::now();
    if (now - last_ < kBetweenSteps) return;
    last_ = now;
    emit({{"event", "step"},
          {"epoch", step.epoch},
          {"epochs", step.epochs},
          {"step", step.step},
          {"total_steps", step.total_steps},
          {"loss", step.loss},
          {"accuracy", step.accuracy},
          {"learning_rate", step.learning_rate},
          {"images_per_second", step.images_per_second},
          {"elapsed", seconds(step.elapsed)},
          {"remaining", seconds(step.remaining)},
          {"system", app::system_usage()}});
  }

  void on_epoch(const train::EpochEvent& epoch) override {
    json::Value event{{"event", "epoch"}};
    event.update(to_json(epoch));
    emit(event);
  }

 private:
  steady_clock::time_point last_;
};

/// The job's own, else the recipe's, else none.
Result<app::StartWeights> start_weights(const TrainingJob& job) {
  if (job.weights || job.recipe.pretrained.empty()) return job.weights.value_or(app::StartWeights{});
  if (job.recipe.pretrained.find('/') != std::string::npos) return app::StartWeights{job.recipe.pretrained, false};
  auto found = data::locate_file(job.recipe.pretrained, {});
  if (!found)
    return pass(found,
                fmt::format("recipe {} starts from weights, and no file was named (--weights)", job.recipe.name));
  return app::StartWeights{found->path, false};
}

/// Gives the learner the weights it is to start from. A resumed run has its own.
Result<void> load_start_weights(TrainingJob& job, const model::Graph& graph, nn::Learner& learner) {
  if (job.resume) return {};
  TRY(const auto start, start_weights(job));
  if (start.file.empty()) {
    if (!job.recipe.learner.freeze_backbone) return {};
    return fail(
        ErrorCode::InvalidArgument,
        "recipe {} freezes the backbone, which must have learned something then: name a file with --weights or a "
        "model with --from",
        job.recipe.name);
  }
  TRY(const auto given, weights::read_weights(start.file));
  TRY(auto own, learner.weights());
  auto initial = model::take_initial_weights(graph, std::move(own), given, start.strict);
  if (!initial) return pass(initial, start.file.string());
  TRY_VOID(learner.set_weights(initial->weights, !initial->kept.empty()));
  job.recipe.training.keep_weights = true;
  emit({{"event", "weights"},
        {"file", start.file.string()},
        {"taken", initial->weights.size() - initial->kept.size()},
        {"kept", initial->kept},
        {"unused", initial->unused}});
  return {};
}

/// The training images: all, or with a replay the new ones and a sample of the old.
Result<data::PackedSplit> choose_images(const TrainingJob& job, const data::Repository& repository,
                                        const data::Manifest& manifest, data::PackedSplit all) {
  if (!job.replay) return all;
  TRY(const auto parent, repository.load(job.replay->parent));
  TRY(const auto chosen, train::replay_rows(all, manifest, parent, job.replay->images, job.recipe.training.seed));
  emit({{"event", "replay"}, {"new", chosen.fresh}, {"replayed", chosen.rows.size() - chosen.fresh}});
  return all.subset(chosen.rows);
}

Result<data::PackedSplit> open_split(const TrainingJob& job, const data::Repository& repository,
                                     const data::Manifest& manifest, data::Split split) {
  steady_clock::time_point last;
  return data::open_packed(
      repository, manifest, split, job.recipe.preprocess, [&](std::size_t done, std::size_t total) {
        if (done < total && steady_clock::now() - last < kBetweenSteps) return;
        last = steady_clock::now();
        emit({{"event", "prepare"}, {"stage", data::to_string(split)}, {"done", done}, {"total", total}});
      });
}

Result<void> announce(const model::Graph& graph, const train::TrainingData& data, const data::Manifest& manifest) {
  TRY(const auto summaries, model::summarize(graph));
  std::int64_t parameters = 0;
  std::int64_t macs = 0;
  for (const auto& summary : summaries) {
    parameters += summary.parameters;
    macs += summary.macs;
  }
  emit({{"event", "start"},
        {"train_images", data.train.size()},
        {"validation_images", data.validation.size()},
        {"classes", manifest.labels.size()},
        {"parameters", parameters},
        {"macs", macs},
        {"backend", nn::backend_description()}});
  return {};
}

/// The first validation image of each class in turn, so that the golden set sees different classes.
Result<std::vector<std::string>> golden_images(const data::Repository& repository, const data::Manifest& manifest,
                                               const data::PackedSplit& validation) {
  std::vector<std::string> images;
  std::vector<bool> taken(validation.size());
  while (static_cast<int>(images.size()) < package::kGoldenImages) {
    const std::size_t before = images.size();
    for (int label = 0; label < static_cast<int>(manifest.labels.size()); ++label) {
      for (std::size_t i = 0; i < validation.size() && static_cast<int>(images.size()) < package::kGoldenImages; ++i) {
        if (taken[i] || validation.label(i) != label) continue;
        taken[i] = true;
        TRY(auto bytes, repository.read_object(manifest.entries[validation.entry(i)].sha256));
        images.push_back(std::move(bytes));
        break;
      }
    }
    if (images.size() == before) break;
  }
  return images;
}

Result<void> write_package(const TrainingJob& job, const model::ModelSpec& spec, nn::Learner& learner,
                           const std::vector<std::string>& golden) {
  model::ManyViews as_served(learner, spec.views);
  std::error_code ignored;
  fs::remove_all(job.package_folder, ignored);
  TRY_VOID(make_directories(job.package_folder));
  TRY(const auto weights, learner.weights());
  TRY(const auto network, onnx::encode_onnx(spec.graph, weights, spec.name));
  TRY_VOID(write_file(job.package_folder / "model.onnx", network));
  TRY_VOID(
      write_file(job.package_folder / "weights.safetensors",
                 model::encode_safetensors(weights, {{"format", "pt"}, {"architecture", spec.graph.architecture}})));
  return package::write_spec_and_golden(job.package_folder, spec, golden, as_served);
}

void report_end(const train::TrainOutcome& outcome) {
  json::Value done{{"event", "done"},
                   {"reason", train::to_string(outcome.reason)},
                   {"epochs", outcome.epochs_done},
                   {"best_epoch", outcome.best_epoch},
                   {"steps", outcome.steps},
                   {"seconds", seconds(outcome.elapsed)},
                   {"history", json::Value::array()}};
  for (const auto& epoch : outcome.history) done["history"].push_back(to_json(epoch));
  if (const auto* kept = outcome.kept_epoch(); kept != nullptr) {
    done["val_accuracy"] = kept->val_accuracy;
    done["val_loss"] = kept->val_loss;
  }
  emit(done);
}

/// By images the network did not learn from.
Result<double> calibrate(model::Classifier& classifier, const data::PackedSplit& validation,
                         const image::Preprocess& preprocess) {
  TRY(const auto logits, evaluate::predict_split(classifier, validation, preprocess, {}));
  TRY(const double temperature, evaluate::fit_temperature(logits, validation.labels()));
  emit({{"event", "calibrate"}, {"temperature", temperature}});
  return temperature;
}

/// A trainer whose imago was killed may still be writing its last checkpoint: the next one waits for it.
Result<FileLock> lock_run(const std::filesystem::path& run_folder) {
  auto lock = FileLock::try_lock(run_folder / "trainer.lock");
  if (lock || lock.error().code != ErrorCode::Unavailable) return lock;
  emit({{"event", "note"}, {"message", "waiting for the trainer that this run had before to end"}});
  return FileLock::lock(run_folder / "trainer.lock");
}

Result<void> train_model(app::TrainingTeam& team, const json::Value& told) {
  TRY(const auto whole, team.take_job(told));
  TRY(auto job, app::training_job(whole));
  std::optional<FileLock> alone;
  if (team.leads()) {
    TRY(alone, lock_run(job.run_folder));
  }
  const data::Repository repository(job.datasets);
  TRY(const auto manifest, repository.load(job.dataset));
  TRY(auto graph, job.recipe.graph(static_cast<int>(manifest.labels.size())));
  TRY(auto all, open_split(job, repository, manifest, data::Split::Train));
  TRY(const auto train_split, choose_images(job, repository, manifest, std::move(all)));
  TRY(const auto validation, open_split(job, repository, manifest, data::Split::Validation));
  TRY(job.recipe.learner.loss.class_weights,
      train::class_weights(job.recipe.class_weighting, manifest.labels, train_split.labels()));
  TRY_VOID(team.give_job(told));
  TRY(job.recipe.training.team, team.connect());
  job.recipe.learner.team = job.recipe.training.team;
  TRY(const auto learner, nn::make_learner(graph, job.recipe.learner));
  if (team.leads()) TRY_VOID(load_start_weights(job, graph, *learner));
  const train::TrainingData data{train_split, validation, job.recipe.preprocess};
  TRY_VOID(announce(graph, data, manifest));
  Reporter reporter;
  TRY(const auto outcome, train::fit(*learner, data, job.recipe.training, job.run_folder, job.resume, stop, reporter));
  if (team.leads() && outcome.reason != train::StopReason::Interrupted) {
    model::ManyViews as_served(*learner, job.recipe.views);
    TRY(const double temperature, calibrate(as_served, validation, job.recipe.preprocess));
    emit({{"event", "package"}});
    const model::ModelSpec spec{.name = job.model_name,
                                .graph = std::move(graph),
                                .labels = manifest.labels,
                                .aliases = data::default_aliases(manifest.labels),
                                .preprocess = job.recipe.preprocess,
                                .temperature = temperature,
                                .views = job.recipe.views,
                                .evaluation_views = job.recipe.evaluation_views};
    TRY(const auto golden, golden_images(repository, manifest, validation));
    TRY_VOID(write_package(job, spec, *learner, golden));
  }
  report_end(outcome);
  return {};
}

Result<void> train_as_told(const json::Value& told) {
  TRY(auto team, app::TrainingTeam::of(told, stop));
  auto done = train_model(team, told);
  if (!done) return tl::unexpected<Error>(team.part_with(done.error()));
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string_view, Result<void> (*)(const json::Value&)> tasks{{"train", train_as_told},
                                                                               {"explain", app::explain},
                                                                               {"classify", app::classify},
                                                                               {"network", app::write_network}};
  const auto task = tasks.find(argc > 1 ? argv[1] : "train");
  if (argc > 2 || task == tasks.end()) {
    fmt::print(stderr, "usage: imago-trainer [train|explain|classify|network] < job.json\n");
    return 2;
  }
  app::keep_freed_memory();
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  const auto done = app::read_job().and_then(task->second);
  if (done) return 0;
  emit({{"event", "error"}, {"code", to_string(done.error().code)}, {"message", done.error().message}});
  return 1;
}
