// SPDX-License-Identifier: Apache-2.0
// imago models average
#include "app/models_command.hpp"
#include "base/files.hpp"
#include "model/initial_weights.hpp"
#include "model/safetensors.hpp"

namespace imago::app {
namespace {

struct ModelsAverageOptions {
  std::vector<std::string> models;
  std::string target;
};

struct Trained {
  std::vector<std::string> names;  ///< MODEL:VERSION
  std::vector<model::Weights> weights;
};

/// All of one network for the same classes and pixels: the mean of others means nothing.
Result<Trained> read_all(pipeline::Workspace& workspace, const std::vector<std::string>& references) {
  Trained trained;
  std::optional<model::ModelSpec> first;
  for (const auto& reference : references) {
    TRY(const auto version, workspace.models().resolve(reference));
    TRY(const auto package, workspace.models().open(version));
    trained.names.push_back(fmt::format("{}:{}", version.model, version.version));
    if (!first) first = package.spec;
    if (package.spec.labels != first->labels || package.spec.graph.architecture != first->graph.architecture ||
        image::to_json(package.spec.preprocess) != image::to_json(first->preprocess)) {
      return fail(ErrorCode::InvalidArgument, "{} and {} differ in network, classes or preprocessing",
                  trained.names.front(), trained.names.back());
    }
    TRY(auto weights, model::read_safetensors(package.weights_path()));
    trained.weights.push_back(std::move(weights));
  }
  return trained;
}

Result<void> run_average(Context& context, const ModelsAverageOptions& options) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto trained, read_all(*workspace, options.models));
  TRY(const auto mean, model::mean_weights(trained.weights));
  const auto of = fmt::format("{}", fmt::join(trained.names, ", "));
  TRY_VOID(write_file_atomic(options.target, model::encode_safetensors(mean, {{"format", "pt"}, {"mean_of", of}})));
  context.answer({{"mean_of", trained.names}, {"file", options.target}},
                 fmt::format("{}: the mean of {}\n", options.target, of));
  return {};
}

}  // namespace

void add_average(CLI::App& models, Context& context) {
  auto* command =
      models.add_subcommand("average", "Write the mean of several versions' weights: often better than each");
  auto options = std::make_shared<ModelsAverageOptions>();
  command->add_option("models", options->models, "MODEL:VERSION or MODEL:ALIAS, two or more of one network")
      ->required()
      ->expected(2, 64);
  command->add_option("-o,--output", options->target, "The .safetensors file to write")->required();
  command->footer(
      "For versions that were fine-tuned from one another or from the same start. BatchNorm's statistics of the mean\n"
      "are then counted anew by a short training that moves no weight.\n"
      "Example:\n"
      "  imago models average cifar10:1 cifar10:2 -o mean.safetensors\n"
      "  imago train --data cifar10 --recipe airbench95 --weights mean.safetensors --epochs 0.2 \\\n"
      "    --set schedule.kind=constant --set schedule.peak=1e-12");
  command->callback(
      [&context, options] { context.action = [&context, options] { return run_average(context, *options); }; });
}

}  // namespace imago::app
