// SPDX-License-Identifier: Apache-2.0
// imago models batch
#include "app/models_command.hpp"
#include "serve/batch_settings.hpp"

namespace imago::app {
namespace {

struct ModelsBatchOptions {
  std::string model;
  serve::BatchSettings settings;
  bool reset = false;
};

/// What is not said stays as it is.
serve::BatchSettings changed(serve::BatchSettings settings, const serve::BatchSettings& by) {
  for (const auto member : {&serve::BatchSettings::max_batch, &serve::BatchSettings::batch_delay_us,
                            &serve::BatchSettings::max_queue, &serve::BatchSettings::workers}) {
    if (by.*member) settings.*member = by.*member;
  }
  return settings;
}

std::string in_words(const serve::BatchSettings& settings) {
  const auto row = [](const char* name, const std::optional<std::int64_t>& value) {
    return fmt::format("  {:<16}{}\n", name, value ? std::to_string(*value) : "as the server was started");
  };
  return row("max-batch", settings.max_batch) + row("batch-delay-us", settings.batch_delay_us) +
         row("max-queue", settings.max_queue) + row("workers", settings.workers);
}

Result<void> run_batch(Context& context, const ModelsBatchOptions& options) {
  const bool sets = options.settings != serve::BatchSettings{};
  if (sets && options.reset)
    return fail(ErrorCode::InvalidArgument, "--reset takes all settings away: it goes with none of them");
  TRY(auto* workspace, context.workspace());
  TRY(const auto version, workspace->models().resolve(options.model));
  auto& database = workspace->database();
  TRY(auto settings, serve::read_batch_settings(database, version.model));
  if (sets || options.reset) {
    settings = options.reset ? serve::BatchSettings{} : changed(settings, options.settings);
    TRY_VOID(serve::write_batch_settings(database, version.model, settings));
  }
  context.answer({{"model", version.model}, {"settings", serve::to_json(settings)}},
                 fmt::format("{}\n{}", version.model, in_words(settings)));
  return {};
}

}  // namespace

void add_batch(CLI::App& models, Context& context) {
  auto* command = models.add_subcommand("batch", "How a server batches the requests for a model: set or show it");
  auto options = std::make_shared<ModelsBatchOptions>();
  auto& settings = options->settings;
  command->add_option("model", options->model, "Name of the model")->required();
  command->add_option("--max-batch", settings.max_batch, "Images in one inference at most")->check(CLI::Range(1, 1024));
  command
      ->add_option("--batch-delay-us", settings.batch_delay_us,
                   "Microseconds that an image waits for others when it has had company; a lone one never waits")
      ->check(CLI::Range(0, 1'000'000));
  command->add_option("--max-queue", settings.max_queue, "Images that may wait; one more gets a 503")
      ->check(CLI::Range(1, 1'000'000));
  command->add_option("--workers", settings.workers, "Threads that infer at most, of those all models share")
      ->check(CLI::Range(1, 256));
  command->add_flag("--reset", options->reset, "Back to what the server is started with");
  command->footer(
      "What is not set is as `imago serve` is started. A server that has the model loaded follows within about a "
      "second.\n"
      "Examples:\n  imago models batch cats-dogs --max-batch 4 --max-queue 64\n  imago models batch cats-dogs --reset");
  command->callback(
      [&context, options] { context.action = [&context, options] { return run_batch(context, *options); }; });
}

}  // namespace imago::app
