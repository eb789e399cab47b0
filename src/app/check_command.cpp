// SPDX-License-Identifier: Apache-2.0
// imago data check
#include "app/check_page.hpp"
#include "app/data_subcommands.hpp"
#include "app/recipes.hpp"
#include "app/table.hpp"
#include "base/files.hpp"
#include "data/check.hpp"
#include "pipeline/check_dataset.hpp"

namespace imago::app {
namespace {

struct CheckOptions {
  std::string dataset;
  std::string report;
  bool suspicious_labels = false;
  std::string recipe = "quick";
  std::vector<std::string> overrides;
  int folds = 3;
  std::uint64_t seed = 1;
};

/// The page alone when an .html file is named, else both into the folder.
Result<std::string> write_report(const std::string& target, const std::string& page, const json::Value& value) {
  const fs::path path(target);
  if (path.extension() == ".html") {
    TRY_VOID(write_file_atomic(path, page));
    return path.string();
  }
  TRY_VOID(make_directories(path));
  TRY_VOID(write_file_atomic(path / "check.json", json::dump_pretty(value) + "\n"));
  TRY_VOID(write_file_atomic(path / "check.html", page));
  return (path / "check.html").string();
}

std::string findings_table(const data::CheckReport& report) {
  std::vector<std::vector<std::string>> rows{{"", "CHECK", "FOUND"}};
  for (const auto& finding : report.findings)
    rows.push_back({std::string(data::to_string(finding.severity)), finding.check, finding.message});
  return report.findings.empty() ? "nothing found\n" : format_columns(rows);
}

std::string folds_progress(const json::Value& event) {
  std::string text = fmt::format("labels: training {} of {}", event.value("fold", 0) + 1, event.value("folds", 0));
  if (event.value("event", "") == "step" && event.value("total_steps", 0) > 0)
    text +=
        fmt::format("  {} %", 100 * event.value("step", std::int64_t{0}) / event.value("total_steps", std::int64_t{1}));
  return text;
}

Result<void> check_labels(pipeline::Workspace& workspace, const CheckOptions& options, Progress& progress,
                          data::CheckReport& report) {
  pipeline::LabelCheckRequest request;
  request.dataset = report.dataset;
  TRY(request.recipe, load_recipe(options.recipe));
  for (const auto& assignment : options.overrides) TRY_VOID(apply_override(request.recipe, assignment));
  request.folds = options.folds;
  request.seed = options.seed;
  request.trainer = program_folder() / "imago-trainer";
  TRY(auto finding,
      pipeline::find_suspicious_labels(
          workspace, request, [&](const json::Value& event) { progress.show(folds_progress(event)); }, stop_requested));
  report.findings.push_back(std::move(finding));
  data::sort_findings(report);
  return {};
}

Result<void> run_check(Context& context, const CheckOptions& options) {
  if (options.suspicious_labels) wait_politely();
  TRY(auto* workspace, context.workspace());
  catch_stop_signals();
  Progress progress(context.progress());
  const auto on_progress = [&](const std::string& task, std::size_t done, std::size_t total) {
    progress.update(task, done, total);
  };
  TRY(auto report, data::check_dataset(workspace->datasets(), options.dataset, {}, on_progress, &stop_flag()));
  if (options.suspicious_labels) TRY_VOID(check_labels(*workspace, options, progress, report));
  progress.end();
  TRY(const auto manifest, workspace->datasets().load(report.dataset));
  json::Value value = data::to_json(report, manifest);
  std::string text = fmt::format("{}: {} images, {} of them different\n\n{}", report.dataset, report.images,
                                 report.distinct, findings_table(report));
  if (!options.report.empty()) {
    TRY(const auto written, write_report(options.report, check_page(workspace->datasets(), manifest, report), value));
    value["report"] = written;
    text += fmt::format("\nto look at: {}\n", written);
  }
  context.answer(value, text);
  return {};
}

}  // namespace

void add_check_subcommand(CLI::App& data, Context& context) {
  auto* check = data.add_subcommand("check", "Find what ruins models: leaks, copies, blank and damaged images, labels");
  auto options = std::make_shared<CheckOptions>();
  check->add_option("dataset", options->dataset, "NAME or NAME@VERSION")->required();
  check->add_option("--report", options->report, "Write a page to look at: FILE.html, or a folder (check.json too)");
  auto* labels = check->add_flag("--suspicious-labels", options->suspicious_labels,
                                 "Also train networks to find labels that are probably wrong (confident learning)");
  check->add_option("-r,--recipe", options->recipe, "For --suspicious-labels: what is trained")
      ->capture_default_str()
      ->needs(labels);
  check->add_option("--set", options->overrides, "Change one setting of the recipe, such as epochs=4")
      ->type_name("KEY=VALUE")
      ->needs(labels);
  check->add_option("--folds", options->folds, "How many networks; each is asked about what it has not seen")
      ->capture_default_str()
      ->check(CLI::Range(2, 20))
      ->needs(labels);
  check->add_option("--seed", options->seed, "Of the folds and the training")->capture_default_str()->needs(labels);
  check->footer("Examples:\n  imago data check cifar10\n  imago data check cifar10 --report cifar10-check.html");
  check->callback(
      [&context, options] { context.action = [&context, options] { return run_check(context, *options); }; });
}

}  // namespace imago::app
