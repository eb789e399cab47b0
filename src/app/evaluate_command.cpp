// SPDX-License-Identifier: Apache-2.0
// imago evaluate
#include "app/command.hpp"
#include "app/errors_view.hpp"
#include "app/evaluation_page.hpp"
#include "app/slice_table.hpp"
#include "base/files.hpp"
#include "evaluate/evaluation_plots.hpp"
#include "pipeline/evaluate_model.hpp"

namespace imago::app {
namespace {

constexpr std::size_t kSlicesShown = 10;

struct EvaluateOptions {
  pipeline::EvaluationRequest request;
  std::string via = "package";
  std::string output;
  std::string report;
  std::size_t explained = kErrorsShown;
};

/// The plots of a report by their files' names.
std::vector<std::pair<std::string, image::Drawing>> plots_of(const evaluate::Report& report) {
  std::vector<std::string> labels;
  for (const auto& one : report.metrics.classes) labels.push_back(one.label);
  std::vector<std::pair<std::string, image::Drawing>> plots;
  plots.emplace_back("confusion_matrix.svg", evaluate::confusion_drawing(labels, report.metrics.confusion));
  plots.emplace_back("reliability.svg", evaluate::reliability_drawing(report.metrics.calibration));
  plots.emplace_back("coverage.svg", evaluate::curves_drawing({evaluate::coverage_panel(report.coverage)}, ""));
  plots.emplace_back("ranking.svg",
                     evaluate::curves_drawing(evaluate::ranking_panels(report.curves, report.metrics.classes), ""));
  const auto training = evaluate::curve_panels(report.history);
  if (!training.empty()) plots.emplace_back("training.svg", evaluate::curves_drawing(training, "epoch"));
  return plots;
}

/// metrics.json and predictions.jsonl for machines, the rest for people.
Result<void> write_folder(const fs::path& folder, const json::Value& value, const pipeline::Evaluation& evaluation,
                          const std::string& page) {
  const auto& report = evaluation.report;
  TRY_VOID(make_directories(folder));
  TRY_VOID(write_file_atomic(folder / "metrics.json", json::dump_pretty(value) + "\n"));
  TRY_VOID(write_file_atomic(folder / "metrics.txt", evaluate::format_table(report.metrics)));
  TRY_VOID(write_file_atomic(folder / "report.html", page));
  TRY_VOID(write_file_atomic(folder / "report.md", evaluate::to_markdown(report)));
  TRY_VOID(write_file_atomic(folder / "predictions.jsonl", evaluate::predictions_jsonl(report, evaluation.logits)));
  for (const auto& [name, drawing] : plots_of(report)) {
    TRY(const auto bytes, evaluate::encode_picture(drawing, name));
    TRY_VOID(write_file_atomic(folder / name, bytes));
  }
  return {};
}

/// One file when its name says which, else a folder of all.
Result<void> write_report(const fs::path& target, const json::Value& value, const pipeline::Evaluation& evaluation,
                          const data::Repository& repository) {
  const std::string extension = target.extension().string();
  if (extension == ".json") return write_file_atomic(target, json::dump_pretty(value) + "\n");
  if (extension == ".md") return write_file_atomic(target, evaluate::to_markdown(evaluation.report));
  const std::string page = evaluation_page(repository, evaluation.report);
  if (extension == ".html") return write_file_atomic(target, page);
  return write_folder(target, value, evaluation, page);
}

std::string in_words(const evaluate::Report& report) {
  std::string text = fmt::format("{} on {}, {} split\n\n{}", report.name(), report.dataset,
                                 data::to_string(report.split), evaluate::format_table(report.metrics));
  if (!report.note.empty()) text = fmt::format("note: {}\n\n{}", report.note, text);
  for (const auto& [name, accuracy] : report.views.items())
    text += fmt::format("accuracy with views {}: {:.4f}\n", name, accuracy.get<double>());
  for (const auto* latency : {&report.singles, &report.batches}) {
    if (!*latency) continue;
    text +=
        fmt::format("{:3} images at a time: p50 {:.2f} ms, p99 {:.2f} ms, {:.0f} images/s\n",
                    (*latency)->images_per_call, (*latency)->p50_ms, (*latency)->p99_ms, (*latency)->images_per_second);
  }
  text += evaluate::confidence_in_words(report);
  if (!report.slices.empty()) text += "\nslices, worst first\n" + slice_table(report.slices, kSlicesShown);
  return text;
}

/// A report without heat maps is better than none: why there are none is said in it.
Result<void> explain(pipeline::Workspace& workspace, pipeline::Evaluation& evaluation, std::size_t most,
                     Progress& progress) {
  catch_stop_signals();
  TRY(const auto package, workspace.models().resolve(evaluation.report.name()).and_then([&](const auto& version) {
    return workspace.models().open(version);
  }));
  auto looked_at = explain_errors(
      {.trainer = program_folder() / "imago-trainer",
       .package = package.folder,
       .timeout = std::chrono::hours(1),
       .should_stop = stop_requested,
       .on_progress = [&](std::size_t done, std::size_t total) { progress.update("explaining", done, total); }},
      package.spec, workspace.datasets(), evaluation.report, most);
  if (!looked_at && looked_at.error().code == ErrorCode::Cancelled) return pass(looked_at);
  if (looked_at) {
    evaluation.report.looked_at = std::move(*looked_at);
  } else {
    evaluation.report.not_looked_at = looked_at.error().message;
  }
  return {};
}

Result<void> run_evaluate(Context& context, const EvaluateOptions& options) {
  wait_politely();
  TRY(auto* workspace, context.workspace());
  pipeline::EvaluationRequest request = options.request;
  if (options.via.starts_with("http://") || options.via.starts_with("https://")) {
    request.server = options.via;
  } else if (options.via == "learner") {
    TRY(request.learner, trainer_program());
    request.should_stop = stop_requested;
    catch_stop_signals();
  } else if (options.via != "package") {
    return fail(ErrorCode::InvalidArgument, "--via {}: 'package', 'learner', or a server's address (http://...)",
                options.via);
  }
  Progress progress(context.progress());
  TRY(auto evaluation, pipeline::evaluate_model(*workspace, request, [&](std::size_t done, std::size_t total) {
        progress.update("evaluating", done, total);
      }));
  if (!options.report.empty() && options.explained > 0)
    TRY_VOID(explain(*workspace, evaluation, options.explained, progress));
  progress.end();
  const json::Value value = evaluate::to_json(evaluation.report);
  if (!options.output.empty()) {
    const auto metrics = evaluate::metrics_json(evaluation.report);
    TRY_VOID(write_file_atomic(options.output, json::dump_pretty(metrics) + "\n"));
  }
  std::string text = in_words(evaluation.report);
  if (!options.report.empty()) {
    TRY_VOID(write_report(options.report, value, evaluation, workspace->datasets()));
    text += fmt::format("\nto look at: {}\n", options.report);
  }
  context.answer(value, text);
  return {};
}

}  // namespace

void add_evaluate_command(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("evaluate", "Measure a registered model on a data set");
  auto options = std::make_shared<EvaluateOptions>();
  auto& request = options->request;
  command->add_option("model", request.model, "MODEL, MODEL:VERSION or MODEL:ALIAS")->required();
  command->add_option("-d,--data", request.dataset,
                      "NAME[@VERSION][:SPLIT]; default: the test split of what it was trained on");
  command
      ->add_option(
          "--via", options->via,
          "Who answers: the package, the learner (libtorch on the package's weights), or a server by its address, "
          "image by image")
      ->type_name("package|learner|URL")
      ->capture_default_str();
  command->add_option("--api-key", request.api_key, "For a server that asks for one");
  command->add_option("--slice", request.slices, "Also slice by this column: width, height, folder")
      ->type_name("COLUMN");
  command->add_flag("--as-served", request.as_served,
                    "Only as it answers, not also with the views that its recipe wanted measured");
  command->add_option("--timed-images", request.timed_images, "So many are timed one by one; 0: none")
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "Also write the metrics to this JSON file");
  command
      ->add_option(
          "--report", options->report,
          "Also write a report: FILE.html (a page to look at), FILE.md, FILE.json, or a folder of all three with "
          "plots and every answer")
      ->type_name("FILE|FOLDER");
  command
      ->add_option("--explain", options->explained,
                   "Of so many of the worst errors the report shows where the network looked (Grad-CAM)")
      ->check(CLI::Range(std::size_t{0}, evaluate::kWorstErrors))
      ->capture_default_str();
  command->footer(
      "Examples:\n  imago evaluate cifar10:2 --data cifar10:test --output metrics.json\n"
      "  imago evaluate cifar10 --report report.html\n  imago evaluate cifar10 --via http://localhost:8000");
  command->callback(
      [&context, options] { context.action = [&context, options] { return run_evaluate(context, *options); }; });
}

}  // namespace imago::app
