// SPDX-License-Identifier: Apache-2.0
// imago retrain
#include <thread>

#include "app/command.hpp"
#include "app/job_command.hpp"
#include "app/local_files.hpp"
#include "app/model_choice.hpp"
#include "app/training_display.hpp"
#include "app/usage.hpp"
#include "data/aliases.hpp"
#include "data/uploads.hpp"

namespace imago::app {
namespace {

constexpr std::chrono::milliseconds kBetweenLooks{200};

struct RetrainOptions {
  std::string model;
  std::vector<std::string> from;
  int epochs = 3;
  std::int64_t replay = -1;
  double margin = 0.0;
  double rate = 0.1;
  std::uint64_t seed = 1;
  bool detach = false;
  std::string resume;
};

/// Everything labelled that waits and fits the model.
Result<std::vector<std::string>> waiting(data::Uploads& uploads, const std::vector<std::string>& labels,
                                         const std::string& model) {
  TRY(const auto staged, uploads.staged(true));
  const auto aliases = data::default_aliases(labels);
  std::vector<std::string> ids;
  for (const auto& upload : staged) {
    if (data::resolve_label(upload.label, labels, aliases)) ids.push_back(upload.id);
  }
  if (ids.empty())
    return fail(ErrorCode::InvalidArgument,
                "nothing new to train {} on: no labelled image waits; give some with --from, or `imago data add`",
                model);
  return ids;
}

Result<jobs::Job> submit(pipeline::Workspace& workspace, jobs::JobQueue& queue, const RetrainOptions& options) {
  TRY(const auto version, choose_model(workspace, options.model));
  TRY(const auto package, workspace.models().open(version));
  data::Uploads uploads(workspace.database(), workspace.folder() / "uploads");
  if (!options.from.empty()) {
    TRY(const auto report, take_in(uploads, options.from, package.spec.labels));
    fmt::print(stderr, "{}", in_words(report));
  }
  TRY(const auto ids, waiting(uploads, package.spec.labels, version.model));
  json::Value payload{{"model", version.model},   {"files", ids},         {"epochs", options.epochs},
                      {"margin", options.margin}, {"rate", options.rate}, {"seed", options.seed}};
  if (options.replay >= 0) payload["replay"] = options.replay;
  return queue.submit("retrain", payload);
}

std::string progress_line(const jobs::Job& job) {
  const auto progress = job.progress.is_object() ? job.progress : json::Value::object();
  return fmt::format("{} is {} elsewhere  {:.0f}%  {}", job.id, to_string(job.state),
                     100.0 * progress.value("progress", 0.0), progress.value("message", ""));
}

/// Does the job here, or watches whoever does it, until it has ended or somebody presses Ctrl-C.
Result<jobs::Job> see_through(jobs::JobQueue& queue, const std::string& id, const jobs::WorkerOptions& worker,
                              TrainingDisplay& display) {
  const std::string owner = jobs::new_owner();
  const auto on_event = [&](const json::Value& event) { display.on_event(event); };
  bool told = false;
  while (!stop_requested()) {
    TRY(const auto mine, queue.claim(owner, worker.lease, id));
    if (mine) {
      TRY_VOID(jobs::do_job(queue, *mine, owner, worker, on_event, stop_requested));
    }
    TRY(auto job, queue.find(id));
    if (!job.ended.empty()) return job;
    if (job.state == jobs::JobState::Running) display.show(progress_line(job));
    if (job.state == jobs::JobState::Queued && !mine && !told) {
      display.print(fmt::format("{} is queued behind another job", id));
      told = true;
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return queue.find(id);
}

void answer(const Context& context, const jobs::Job& job) {
  json::Value value{{"job", job.id}, {"state", to_string(job.state)}};
  std::string text;
  if (job.state == jobs::JobState::Done) {
    value.update(job.result);
    text = fmt::format("\n{}:{} registered as {}\n", job.result.value("model", ""), job.result.value("version", 0),
                       job.result.value("verdict", ""));
  } else if (job.state == jobs::JobState::Cancelled) {
    text = fmt::format("{} was stopped on request\n", job.id);
  } else {
    text = fmt::format("{} is {}: a running server does it, or: imago retrain --resume {}\n", job.id,
                       to_string(job.state), job.id);
  }
  context.answer(value, text);
}

Result<void> run_retrain(Context& context, const RetrainOptions& options) {
  wait_politely();
  auto worker = job_worker(context);
  TRY(auto* workspace, context.workspace());
  catch_stop_signals();
  jobs::JobQueue queue(workspace->database());
  TRY(auto job, options.resume.empty() ? submit(*workspace, queue, options) : queue.find(options.resume));
  if (!options.detach) {
    TrainingDisplay display(context.progress());
    TRY(job, see_through(queue, job.id, worker, display));
  }
  if (job.state == jobs::JobState::Failed) return fail(ErrorCode::Internal, "{} failed: {}", job.id, job.error);
  answer(context, job);
  return {};
}

}  // namespace

void add_retrain_command(CLI::App& app, Context& context) {
  auto* command =
      app.add_subcommand("retrain", "Train a model on with the images that were sent in, and promote it if not worse");
  auto options = std::make_shared<RetrainOptions>();
  command->add_option("-m,--model", options->model, "Model whose champion is trained on; default: the newest one");
  command->add_option("--from", options->from,
                      "First add these: folders of classes, archives, a new_data.npz (x_new, y_new), images");
  command->add_option("--epochs", options->epochs, "Rounds over new and replayed images")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command
      ->add_option("--replay", options->replay,
                   "Old images to train on beside the new; default: 4 for each new one, 2000 at least")
      ->check(zero_or_more());
  command
      ->add_option("--margin", options->margin,
                   "How much worse than the champion on the test images it may be, in accuracy, and still replace it")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--rate", options->rate, "Learning rate as a share of the recipe's")
      ->check(CLI::Range(1e-6, 10.0))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Of the replayed sample and the order of images")->capture_default_str();
  command->add_flag("--detach", options->detach, "Leave it to a running server, and return");
  command->add_option("--resume", options->resume, "Go on with a queued job")->type_name("JOB");
  command->footer("Example:\n  imago retrain --model cifar10 --from new_data.npz");
  command->callback(
      [&context, options] { context.action = [&context, options] { return run_retrain(context, *options); }; });
}

}  // namespace imago::app
