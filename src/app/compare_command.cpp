// SPDX-License-Identifier: Apache-2.0
// imago compare
#include <algorithm>

#include "app/command.hpp"
#include "app/evaluation_page.hpp"
#include "app/slice_table.hpp"
#include "base/files.hpp"
#include "pipeline/evaluate_model.hpp"

namespace imago::app {
namespace {

constexpr std::size_t kChangesShown = 15;
constexpr std::size_t kImagesShown = 5;

struct CompareOptions {
  pipeline::ComparisonRequest request;
  std::string report;
};

json::Value image_json(const pipeline::ModelComparison& compared, std::size_t i) {
  const auto& a = compared.answers_a[i];
  const auto& b = compared.answers_b[i];
  const auto label = [&](int index) { return compared.manifest.labels[static_cast<std::size_t>(index)]; };
  return {{"path", compared.manifest.entries[a.entry].path},
          {"truth", label(a.truth)},
          {"a", {{"prediction", label(a.predicted)}, {"confidence", a.confidence}}},
          {"b", {{"prediction", label(b.predicted)}, {"confidence", b.confidence}}}};
}

json::Value to_json(const pipeline::ModelComparison& compared) {
  json::Value value = evaluate::to_json(compared.comparison);
  value["a"]["model"] = compared.model_a;
  value["b"]["model"] = compared.model_b;
  value["dataset"] = compared.dataset;
  value["split"] = data::to_string(compared.split);
  value["verdict"] = compared.verdict;
  value["fixed_images"] = json::Value::array();
  value["broken_images"] = json::Value::array();
  for (const std::size_t i : compared.comparison.fixed) value["fixed_images"].push_back(image_json(compared, i));
  for (const std::size_t i : compared.comparison.broken) value["broken_images"].push_back(image_json(compared, i));
  return value;
}

std::string images_in_words(const json::Value& images, const char* what) {
  if (images.empty()) return "";
  std::string text = fmt::format("\n{} images {}, those first that the wrong one was surest of\n", images.size(), what);
  for (std::size_t i = 0; i < std::min(kImagesShown, images.size()); ++i) {
    const auto& one = images[i];
    text += fmt::format("  {}  {}: {} -> {}\n", one["path"].get<std::string>(), one["truth"].get<std::string>(),
                        one["a"]["prediction"].get<std::string>(), one["b"]["prediction"].get<std::string>());
  }
  return text;
}

Result<void> run_compare(Context& context, const CompareOptions& options) {
  TRY(auto* workspace, context.workspace());
  Progress progress(context.progress());
  TRY(const auto compared,
      pipeline::compare_models(*workspace, options.request, [&](std::size_t done, std::size_t total) {
        progress.update("comparing", done, total);
      }));
  progress.end();
  const json::Value value = to_json(compared);
  std::string text =
      fmt::format("{}\n\n{}", compared.verdict, change_table(compared.comparison.changes, kChangesShown));
  text += images_in_words(value["fixed_images"], "fixed") + images_in_words(value["broken_images"], "broken");
  if (!options.report.empty()) {
    const bool page = fs::path(options.report).extension() == ".html";
    TRY_VOID(write_file_atomic(
        options.report, page ? comparison_page(workspace->datasets(), compared) : json::dump_pretty(value) + "\n"));
    text += fmt::format("\nto look at: {}\n", options.report);
  }
  context.answer(value, text);
  return {};
}

}  // namespace

void add_compare_command(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("compare", "Tell whether one registered model is better than another, and where");
  auto options = std::make_shared<CompareOptions>();
  auto& request = options->request;
  command->add_option("a", request.model_a, "The one before: MODEL, MODEL:VERSION or MODEL:ALIAS")->required();
  command->add_option("b", request.model_b, "The one after")->required();
  command->add_option("-d,--data", request.dataset,
                      "NAME[@VERSION][:SPLIT]; default: the test split of what the second was trained on");
  command->add_option("--slice", request.slices, "Also slice by this column: width, height, folder")
      ->type_name("COLUMN");
  command->add_option("--seed", request.seed, "Of the bootstrap")->capture_default_str();
  command->add_option("--report", options->report, "Also write FILE.html, a page to look at, or FILE.json")
      ->type_name("FILE");
  command->footer("Example:\n  imago compare cifar10:1 cifar10:2 --data cifar10:test --report compare.html");
  command->callback(
      [&context, options] { context.action = [&context, options] { return run_compare(context, *options); }; });
}

}  // namespace imago::app
