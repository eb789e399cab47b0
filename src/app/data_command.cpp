// SPDX-License-Identifier: Apache-2.0
// imago data list | show
#include <set>

#include "app/data_report.hpp"
#include "app/data_subcommands.hpp"
#include "app/table.hpp"
#include "data/import.hpp"

namespace imago::app {
namespace {

Result<void> run_list(Context& context) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto names, workspace->datasets().names());
  json::Value value = json::Value::array();
  std::vector<std::vector<std::string>> rows{{"DATA SET", "VERSION", "IMAGES", "CLASSES"}};
  for (const auto& name : names) {
    TRY(const auto versions, workspace->datasets().versions(name));
    for (const auto& version : versions) {
      TRY(const auto manifest, workspace->datasets().load(name + "@" + version));
      value.push_back({{"dataset", name},
                       {"version", version},
                       {"images", manifest.entries.size()},
                       {"classes", manifest.labels.size()}});
      rows.push_back({name, version, std::to_string(manifest.entries.size()), std::to_string(manifest.labels.size())});
    }
  }
  context.answer(value,
                 names.empty() ? "no data set yet: import one with `imago data import`\n" : format_columns(rows));
  return {};
}

std::string lines_of(const std::vector<data::Refusal>& files) {
  std::string text;
  for (const auto& [path, reason] : files) text += fmt::format("  {}: {}\n", path, reason);
  return text;
}

/// All of them, not the first only.
data::Reasons reasons_of(const std::vector<data::Refusal>& files) {
  data::Reasons reasons;
  for (const auto& [path, reason] : files) reasons.add(path, reason);
  reasons.first = files;
  return reasons;
}

Result<void> run_show(Context& context, const std::string& reference, bool refused) {
  TRY(auto* workspace, context.workspace());
  const auto& datasets = workspace->datasets();
  TRY(const auto manifest, datasets.load(reference));
  TRY(const auto refusals, datasets.refusals(reference));
  TRY(const auto fixed, datasets.fixed(reference));
  data::ImportReport report;
  report.version = data::version_of(manifest);
  report.kept = manifest.entries.size();
  report.labels = manifest.labels;
  report.refused = reasons_of(refusals);
  report.fixed = reasons_of(fixed);
  std::set<std::string> fixed_paths;
  for (const auto& [path, reason] : fixed) fixed_paths.insert(path);
  report.fixed_files = fixed_paths.size();
  report.counts = data::count_images(manifest);
  for (const auto split : {data::Split::Train, data::Split::Validation, data::Split::Test})
    report.counts[split].resize(manifest.labels.size());
  const auto text = refused ? fmt::format("{} files refused\n{}\n{} files fixed\n{}", refusals.size(),
                                          lines_of(refusals), report.fixed_files, lines_of(fixed))
                            : counts_table(report) +
                                  fmt::format("\n{} images, {} files refused at import, {} fixed\n{}@{}\n", report.kept,
                                              refusals.size(), report.fixed_files, manifest.name, report.version);
  context.answer(to_json(report, manifest.name), text);
  return {};
}

}  // namespace

void add_data_commands(CLI::App& app, Context& context) {
  auto* data = app.add_subcommand(
      "data", "Data sets: import, list, show, export, diff; images for retraining: add, uploads, label, remove");
  data->require_subcommand(1);
  add_import_subcommand(*data, context);

  auto* list = data->add_subcommand("list", "All data sets and versions");
  list->footer("Example:\n  imago data list");
  list->callback([&context] { context.action = [&context] { return run_list(context); }; });

  auto* show = data->add_subcommand("show", "Images of each class and split");
  auto reference = std::make_shared<std::string>();
  auto refused = std::make_shared<bool>(false);
  show->add_option("dataset", *reference, "NAME or NAME@VERSION")->required();
  show->add_flag("--refused", *refused, "The files that were not taken, or not as they lay, with reasons");
  show->footer("Example:\n  imago data show cifar10");
  show->callback([&context, reference, refused] {
    context.action = [&context, reference, refused] { return run_show(context, *reference, *refused); };
  });
  add_upload_subcommands(*data, context);
  add_export_subcommands(*data, context);
  add_preview_subcommand(*data, context);
  add_check_subcommand(*data, context);
}

}  // namespace imago::app
