// SPDX-License-Identifier: Apache-2.0
// imago explain
#include <algorithm>
#include <numeric>

#include "app/command.hpp"
#include "base/files.hpp"
#include "image/decode.hpp"
#include "serve/explainer.hpp"

namespace imago::app {
namespace {

constexpr std::size_t kClassesShown = 5;

struct ExplainOptions {
  std::string model;
  std::string image;
  std::string label;
  std::string out;
};

fs::path output_path(const ExplainOptions& options) {
  if (!options.out.empty()) return options.out;
  return fs::path(options.image).replace_extension(".explained.png");
}

std::string most_likely(const serve::Explanation& explanation, const std::vector<std::string>& labels) {
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return explanation.probabilities[i]; });
  order.resize(std::min(order.size(), kClassesShown));
  std::string text;
  for (const std::size_t i : order) {
    const bool explained = static_cast<int>(i) == explanation.class_index;
    text += fmt::format("{:7.4f}  {}{}\n", explanation.probabilities[i], labels[i], explained ? "  <- explained" : "");
  }
  return text;
}

std::string scores(const serve::Explanation& explanation) {
  if (!explanation.faithfulness) return "nothing spoke for this class: the map is 0 everywhere\n";
  return fmt::format("deletion {:.3f} (low is good), insertion {:.3f} (high is good)\n",
                     explanation.faithfulness->deletion, explanation.faithfulness->insertion);
}

Result<void> run_explain(Context& context, const ExplainOptions& options) {
  wait_politely();
  TRY(auto* workspace, context.workspace());
  TRY(const auto version, workspace->models().resolve(options.model));
  TRY(const auto package, workspace->models().open(version));
  TRY(const auto class_index, serve::class_from(package.spec, options.label));
  TRY(const auto bytes, read_file(options.image, image::DecodeLimits{}.max_bytes));
  catch_stop_signals();
  const serve::Explainer explainer{
      .trainer = program_folder() / "imago-trainer", .package = package.folder, .should_stop = stop_requested};
  auto explanation = serve::explain(explainer, package.spec, as_bytes(bytes), class_index);
  if (!explanation) return pass(explanation, options.image);
  const auto out = output_path(options);
  TRY_VOID(write_file_atomic(out, explanation->overlay_png));
  json::Value value = serve::to_json(*explanation, package.spec.labels);
  value["model"] = version.model;
  value["version"] = version.version;
  value["overlay"] = out.string();
  context.answer(value, fmt::format("{}{}overlay: {}\n", most_likely(*explanation, package.spec.labels),
                                    scores(*explanation), out.string()));
  return {};
}

}  // namespace

void add_explain_command(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("explain", "Show where in an image a registered model looked (Grad-CAM)");
  auto options = std::make_shared<ExplainOptions>();
  command->add_option("model", options->model, "MODEL, MODEL:VERSION or MODEL:ALIAS")->required();
  command->add_option("image", options->image, "Image file")->required();
  command->add_option("-c,--class", options->label, "Label or index to explain; default: the predicted class");
  command->add_option("-o,--out", options->out, "Overlay to write; default: the image's name with .explained.png");
  command->footer("Example:\n  imago explain cifar10 photo.jpg --class cat --out cat.png");
  command->callback(
      [&context, options] { context.action = [&context, options] { return run_explain(context, *options); }; });
}

}  // namespace imago::app
