// SPDX-License-Identifier: Apache-2.0
// imago runs list | show | compare | export | repro: what each takes.
#include "app/runs_command.hpp"

namespace imago::app {
namespace {

template <class Options>
void act(CLI::App* command, Context& context, const std::shared_ptr<Options>& options,
         Result<void> (*action)(Context&, const Options&)) {
  command->callback([&context, options, action] {
    context.action = [&context, options, action] { return action(context, *options); };
  });
}

void add_list(CLI::App& runs, Context& context) {
  auto* command = runs.add_subcommand("list", "Runs in a table, the newest first");
  auto options = std::make_shared<ListOptions>();
  command->add_option("--state", options->state, "Only those")
      ->check(CLI::IsMember({"running", "finished", "failed", "interrupted"}));
  command->add_option("-d,--data", options->data, "Only those on this data set: NAME or NAME@VERSION");
  command->add_option("-r,--recipe", options->recipe, "Only those of this recipe");
  command->add_option("--sort", options->sort, "What comes first: the newest, most accurate, longest")
      ->check(CLI::IsMember({"created", "accuracy", "time", "epochs"}))
      ->capture_default_str();
  command->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->footer("Example:\n  imago runs list --data cifar10 --sort accuracy --limit 5");
  act(command, context, options, list_runs);
}

void add_show(CLI::App& runs, Context& context) {
  auto* command = runs.add_subcommand("show", "One run: where it comes from, settings, outcome, curves, files");
  struct Options {
    std::string id;
    std::vector<std::string> pictures;
  };
  auto options = std::make_shared<Options>();
  command->add_option("run", options->id, "Its id, or the start of it")->required();
  command->add_option("--plot,--svg", options->pictures, "Also draw the curves into this file, .svg or .png")
      ->type_name("FILE");
  command->footer("Example:\n  imago runs show 20261121 --plot curves.png");
  act<Options>(command, context, options, [](Context& c, const Options& o) { return show_run(c, o.id, o.pictures); });
}

void add_compare(CLI::App& runs, Context& context) {
  auto* command = runs.add_subcommand("compare", "Runs side by side: the settings that differ, and what came of them");
  struct Options {
    std::vector<std::string> ids;
    std::string picture;
  };
  auto options = std::make_shared<Options>();
  command->add_option("runs", options->ids, "Two or more: their ids, or the start of each")
      ->required()
      ->expected(2, 50);
  command->add_option("--plot,--svg", options->picture, "Draw their curves over one another, into a .svg or .png")
      ->type_name("FILE");
  command->footer("Example:\n  imago runs compare 20261121-04 20261121-05 --plot both.svg");
  act<Options>(command, context, options,
               [](Context& c, const Options& o) { return compare_runs(c, o.ids, o.picture); });
}

void add_export(CLI::App& runs, Context& context) {
  auto* command = runs.add_subcommand(
      "export", "Send runs, or what is missing of them there, to an MLflow server; or write their metrics as CSV");
  auto options = std::make_shared<ExportOptions>();
  command->add_option("run", options->runs, "Ids, or the start of each");
  auto* mlflow =
      command->add_option("--mlflow", options->uri, "The server; default: MLFLOW_TRACKING_URI")->type_name("URI");
  command->add_flag("--pending", options->pending, "All that a server has not got because it was away");
  command->add_option("--csv", options->csv, "Every point of every metric: run,metric,step,value,time")
      ->type_name("FILE");
  command->footer(
      "Example:\n  imago runs export 20261121 --mlflow http://localhost:5000\n  imago runs export 20261121 --csv "
      "run.csv");
  command->callback([&context, options, mlflow] {
    options->mlflow = mlflow->count() > 0;
    context.action = [&context, options] { return export_runs(context, *options); };
  });
}

void add_repro(CLI::App& runs, Context& context) {
  auto* command = runs.add_subcommand(
      "repro", "Train a run again from its record, and prove that the weights come out the same, bit by bit");
  struct Options {
    std::string id;
    bool force = false, quiet = false;
  };
  auto options = std::make_shared<Options>();
  command->add_option("run", options->id, "Its id, or the start of it")->required();
  command->add_flag("--force", options->force, "Also when the program, the machine or the data set is another now");
  command->add_flag("-q,--quiet", options->quiet, "No progress");
  command->footer("Example:\n  imago runs repro 20261121");
  act<Options>(command, context, options,
               [](Context& c, const Options& o) { return reproduce_run(c, o.id, o.force, o.quiet); });
}

}  // namespace

json::Value to_json(const tracking::Run& run) {
  return {{"run", run.id},          {"kind", run.kind},      {"status", tracking::to_string(run.status)},
          {"created", run.created}, {"ended", run.ended},    {"error", run.error},
          {"params", run.params},   {"summary", run.summary}};
}

evaluate::Series as_series(const std::string& name, const std::vector<tracking::MetricPoint>& points) {
  evaluate::Series series{name, {}};
  for (const auto& point : points) series.points.emplace_back(static_cast<double>(point.step), point.value);
  return series;
}

bool is_by_epoch(const std::string& metric) { return metric.find('/') == std::string::npos; }

void add_run_commands(CLI::App& app, Context& context) {
  auto* runs = app.add_subcommand("runs", "Training runs: settings, curves, outcome");
  runs->require_subcommand(1);
  add_list(*runs, context);
  add_show(*runs, context);
  add_compare(*runs, context);
  add_export(*runs, context);
  add_repro(*runs, context);
}

}  // namespace imago::app
