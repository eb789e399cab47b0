// SPDX-License-Identifier: Apache-2.0
// imago train
#include "app/audit_note.hpp"
#include "app/code_version.hpp"
#include "app/command.hpp"
#include "app/recipes.hpp"
#include "app/team.hpp"
#include "app/training_display.hpp"
#include "app/training_keys.hpp"
#include "app/usage.hpp"
#include "pipeline/train_and_register.hpp"
#include "pipeline/workers.hpp"

namespace imago::app {
namespace {

struct TrainOptions {
  std::string data;
  std::string recipe = "quick";
  std::string model;
  std::vector<std::string> overrides;
  std::string epochs;
  double max_minutes = -1;
  std::uint64_t seed = 1;
  int threads = 0;
  std::string resume;
  std::string from;
  std::string weights;
  bool quiet = false;
  TeamOptions team;
};

Result<json::Value> effective_recipe(const TrainOptions& options) {
  TRY(auto recipe, load_recipe(options.recipe));
  if (!options.epochs.empty()) TRY_VOID(apply_override(recipe, "epochs=" + options.epochs));
  if (options.max_minutes >= 0) recipe["max_minutes"] = options.max_minutes;
  for (const auto& assignment : options.overrides) TRY_VOID(apply_override(recipe, assignment));
  return recipe;
}

/// The file that --weights or --from name; empty for neither.
Result<std::filesystem::path> initial_weights(pipeline::Workspace& workspace, const TrainOptions& options) {
  if (!options.weights.empty()) {
    std::error_code error;
    const auto path = std::filesystem::absolute(options.weights, error);
    if (error || !std::filesystem::is_regular_file(path, error))
      return fail(ErrorCode::NotFound, "--weights {}: no such file", options.weights);
    return path;
  }
  if (options.from.empty()) return std::filesystem::path();
  TRY(const auto version, workspace.models().resolve(options.from));
  TRY(const auto package, workspace.models().open(version));
  return package.weights_path();
}

Result<pipeline::TrainResult> train(pipeline::Workspace& workspace, const TrainOptions& options, const Team& team,
                                    TrainingDisplay& display, const pipeline::ShouldStop& should_stop) {
  TRY(const auto trainer, trainer_program());
  const auto on_event = [&](const json::Value& event) { display.on_event(event); };
  if (!options.resume.empty())
    return pipeline::resume_training(workspace, options.resume, trainer, on_event, should_stop, team.places());
  if (options.data.empty())
    return fail(ErrorCode::InvalidArgument, "which data set? Name it with --data; `imago data list` shows them");
  pipeline::TrainRequest request;
  request.dataset = options.data;
  request.model = options.model.empty() ? options.data.substr(0, options.data.find('@')) : options.model;
  TRY(request.recipe, effective_recipe(options));
  request.seed = options.seed;
  request.threads = options.threads > 0 ? options.threads : team.threads();
  if (team.size() > 1) request.extra["workers"] = team.size();
  request.team = team.places();
  request.code_version = code_version();
  request.trainer = trainer;
  TRY(request.initial_weights, initial_weights(workspace, options));
  return pipeline::train_and_register(workspace, request, on_event, should_stop);
}

/// All but the first of those that train together: the first says what to do and keeps what comes of it.
Result<void> work(const Context& context, const TrainOptions& options, const Team& team) {
  TRY(const auto trainer, trainer_program());
  TRY_VOID(pipeline::run_worker({.workspace_folder = context.workspace_folder,
                                 .trainer = trainer,
                                 .place = team.places().front(),
                                 .threads = options.threads > 0 ? options.threads : team.threads()},
                                stop_requested));
  context.answer({{"worker", team.rank()}, {"workers", team.size()}},
                 fmt::format("worker {} of {} is done\n", team.rank(), team.size()));
  return {};
}

Result<void> run_train(Context& context, const TrainOptions& options) {
  wait_politely();
  catch_stop_signals();
  TRY(const auto team, Team::join(options.team));
  if (!team.leads()) return work(context, options, team);
  TRY(auto* workspace, context.workspace());
  const bool quiet = context.json || options.quiet;
  TrainingDisplay display(progress_style(quiet));
  TrainingKeys keys(!quiet);
  bool stop_key = false;
  const auto should_stop = [&] {
    if (const auto key = keys.poll()) stop_key = display.on_key(*key) || stop_key;
    return stop_key || stop_requested();
  };
  TRY(const auto result, train(*workspace, options, team, display, should_stop));
  display.end();
  if (result.interrupted) {
    const std::string how = "imago train --resume " + result.run.id;
    context.answer({{"run", result.run.id}, {"interrupted", true}, {"resume", how}},
                   fmt::format("stopped; a checkpoint is kept. Go on with: {}\n", how));
    return {};
  }
  TRY_VOID(note_change(context, "train", fmt::format("{}:{}", result.version->model, result.version->version), {}));
  json::Value value{
      {"run", result.run.id},           {"interrupted", false},
      {"model", result.version->model}, {"version", result.version->version},
      {"verdict", result.verdict},      {"test", result.test ? evaluate::to_json(*result.test) : json::Value()}};
  context.answer(value, fmt::format("\n{}\n{}\n{}:{} registered as {}\n", options.quiet ? "" : display.curves(),
                                    result.test ? evaluate::format_table(*result.test) : "", result.version->model,
                                    result.version->version, result.verdict));
  return {};
}

}  // namespace

void add_train_command(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("train", "Train a model, measure it on the test split and register it");
  auto options = std::make_shared<TrainOptions>();
  command->add_option("-d,--data", options->data, "Data set: NAME or NAME@VERSION");
  command->add_option("-r,--recipe", options->recipe, "Recipe name or .yaml file (see `imago recipes list`)")
      ->capture_default_str();
  command->add_option("-m,--model", options->model, "Model name in the registry; default: the data set's name");
  command
      ->add_option("--set", options->overrides, "Change one setting of the recipe, such as optimizer.weight_decay=5e-4")
      ->type_name("KEY=VALUE");
  command->add_option("--epochs", options->epochs, "Short for --set epochs=N")->check(more_than_zero())->type_name("N");
  command
      ->add_option("--max-minutes", options->max_minutes,
                   "Time budget for training; 0: none. Short for --set max_minutes=M")
      ->check(zero_or_more());
  command->add_option("--seed", options->seed, "Same seed, same machine, same threads: same weights")
      ->capture_default_str();
  command->add_option("--threads", options->threads, "0: all processors")->check(CLI::Range(0, 1024));
  command->add_option("--resume", options->resume, "Go on with an interrupted run")->type_name("RUN");
  auto* from =
      command->add_option("--from", options->from, "Start from the weights of MODEL, MODEL:VERSION or MODEL:ALIAS");
  command
      ->add_option("--weights", options->weights,
                   "Start from a .safetensors file or a state dict of PyTorch's (.pth), tensors by name")
      ->type_name("FILE")
      ->excludes(from);
  add_team_options(*command, options->team);
  command->add_flag("-q,--quiet", options->quiet, "No progress and no curves, only the outcome");
  command->footer("Example:\n  imago train --data cifar10 --recipe improved-cnn --set epochs=10");
  command->callback(
      [&context, options] { context.action = [&context, options] { return run_train(context, *options); }; });
}

}  // namespace imago::app
