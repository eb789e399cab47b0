// SPDX-License-Identifier: Apache-2.0
// imago data import | list | show
#include <fmt/ranges.h>

#include "app/data_subcommands.hpp"
#include "app/table.hpp"
#include "base/files.hpp"
#include "data/fetch.hpp"
#include "data/import.hpp"
#include "data/shapes.hpp"
#include "pipeline/import_dataset.hpp"

namespace imago::app {
namespace {

struct ImportOptions {
  std::string source;
  std::string name;
  std::string from;
  std::string split = "80/10/10";
  std::uint64_t seed = 42;
};

constexpr std::size_t kRefusalsShown = 10;

Result<data::SplitRatios> parse_split(const std::string& text) {
  double train = 0;
  double validation = 0;
  double test = 0;
  int used = 0;
  if (std::sscanf(text.c_str(), "%lf/%lf/%lf%n", &train, &validation, &test, &used) != 3 ||
      used != static_cast<int>(text.size()) || train <= 0 || validation < 0 || test < 0)
    return fail(ErrorCode::InvalidArgument, "--split {}: expected TRAIN/VALIDATION/TEST, such as 80/10/10", text);
  const double sum = train + validation + test;
  return data::SplitRatios{validation / sum, test / sum};
}

json::Value to_json(const data::ImportReport& report, const std::string& name) {
  json::Value counts = json::Value::object();
  for (const auto& [split, by_label] : report.counts) counts[std::string(data::to_string(split))] = by_label;
  json::Value refused = json::Value::array();
  for (const auto& refusal : report.refused) refused.push_back({{"path", refusal.path}, {"reason", refusal.reason}});
  return {{"dataset", name},     {"version", report.version}, {"was_there", report.was_there},
          {"kept", report.kept}, {"labels", report.labels},   {"counts", counts},
          {"refused", refused}};
}

std::string counts_table(const std::vector<std::string>& labels,
                         const std::map<data::Split, std::vector<std::size_t>>& counts) {
  std::vector<std::vector<std::string>> rows{{"CLASS"}};
  for (const auto& [split, by_label] : counts) rows[0].emplace_back(data::to_string(split));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    rows.push_back({labels[i]});
    for (const auto& [split, by_label] : counts) rows.back().push_back(std::to_string(by_label[i]));
  }
  return format_columns(rows);
}

std::string import_text(const data::ImportReport& report, const std::string& name) {
  std::string text = counts_table(report.labels, report.counts);
  text += fmt::format("\n{} images kept, {} files refused\n", report.kept, report.refused.size());
  for (std::size_t i = 0; i < std::min(report.refused.size(), kRefusalsShown); ++i)
    text += fmt::format("  {}: {}\n", report.refused[i].path, report.refused[i].reason);
  if (report.refused.size() > kRefusalsShown)
    text += fmt::format("  and {} more: imago data show {} --refused\n", report.refused.size() - kRefusalsShown, name);
  return text + fmt::format("{}@{}{}\n", name, report.version, report.was_there ? " (was there already)" : "");
}

Result<data::Located> locate(const std::string& source, const std::string& from, const fs::path& downloads,
                             Progress& progress) {
  data::Locate where;
  where.from = from;
  where.downloads = downloads;
  where.stop = &stop_flag();
  where.on_download = [&](std::uint64_t done, std::uint64_t total) {
    progress.update("downloading (bytes)", done, total);
  };
  if (source == "cifar10") return data::locate_cifar10(where);
  if (source == "cats-dogs") return data::locate_cats_dogs(where);
  return data::Located{source, "as named"};
}

/// "photos.tar.gz" -> "photos": what a data set is called when nobody says.
std::string name_from(const fs::path& source) {
  std::string name = source.filename().empty() ? source.parent_path().filename().string() : source.filename().string();
  name = name.substr(0, name.find('.'));
  for (char& c : name)
    c = std::isalnum(static_cast<unsigned char>(c)) != 0
            ? static_cast<char>(std::tolower(static_cast<unsigned char>(c)))
            : '-';
  return name;
}

Result<void> run_import(Context& context, const ImportOptions& options) {
  TRY(const auto ratios, parse_split(options.split));
  TRY(auto* workspace, context.workspace());
  catch_stop_signals();
  Progress progress(context.progress());
  const bool known = options.source == "cifar10" || options.source == "cats-dogs" || options.source == "shapes";
  const std::string name = !options.name.empty() ? options.name : known ? options.source : name_from(options.source);

  data::ImportReport report;
  if (options.source == "shapes") {
    data::ShapesRequest request;
    request.name = name;
    request.seed = options.seed;
    TRY(report,
        pipeline::generate_shapes(
            *workspace, request, [&](std::size_t done, std::size_t total) { progress.update("drawing", done, total); },
            &stop_flag()));
  } else {
    TRY(const auto located, locate(options.source, options.from, workspace->folder() / "downloads", progress));
    progress.print(fmt::format("reading {} ({})", located.path.filename().string(), located.found));
    const data::ImportRequest request{.name = name, .source = located.path, .ratios = ratios, .seed = options.seed};
    TRY(report,
        pipeline::import_dataset(
            *workspace, request,
            [&](const data::ImportProgress& now) { progress.update("checking images", now.images, 0); }, &stop_flag()));
  }
  progress.end();
  context.answer(to_json(report, name), import_text(report, name));
  return {};
}

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

Result<void> run_show(Context& context, const std::string& reference, bool refused) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto manifest, workspace->datasets().load(reference));
  TRY(const auto refusals, workspace->datasets().refusals(reference));
  data::ImportReport report;
  report.version = data::version_of(manifest);
  report.kept = manifest.entries.size();
  report.labels = manifest.labels;
  report.refused = refusals;
  for (const auto split : {data::Split::Train, data::Split::Validation, data::Split::Test}) {
    std::vector<std::size_t> by_label(manifest.labels.size());
    for (const auto index : manifest.indices(split))
      ++by_label[static_cast<std::size_t>(manifest.entries[index].label)];
    report.counts[split] = std::move(by_label);
  }
  std::string text;
  if (refused) {
    for (const auto& refusal : refusals) text += fmt::format("{}: {}\n", refusal.path, refusal.reason);
  } else {
    text = counts_table(report.labels, report.counts) + fmt::format("\n{} images, {} files refused at import\n{}@{}\n",
                                                                    report.kept, refusals.size(), manifest.name,
                                                                    report.version);
  }
  context.answer(to_json(report, manifest.name), text);
  return {};
}

}  // namespace

void add_data_commands(CLI::App& app, Context& context) {
  auto* data = app.add_subcommand(
      "data", "Data sets: import, list, show, export, diff; images for retraining: add, uploads, label, remove");
  data->require_subcommand(1);

  auto* import = data->add_subcommand("import", "Bring images into the workspace as a data set, every file checked");
  auto options = std::make_shared<ImportOptions>();
  import
      ->add_option("source", options->source,
                   "cifar10, cats-dogs, shapes (drawn by the program); a folder or archive: CLASS/x.jpg, "
                   "train/CLASS/x.jpg; a .csv "
                   "with the columns path, label and maybe split; an .npz with x_train and y_train")
      ->required();
  import->add_option("--name", options->name, "What to call it; default: after the source");
  import->add_option("--from", options->from,
                     "cifar10, cats-dogs: the file or folder to read instead of looking for it");
  import->add_option("--split", options->split, "TRAIN/VALIDATION/TEST; a test folder of the source stays as it is")
      ->capture_default_str();
  import->add_option("--seed", options->seed, "Of the split")->capture_default_str();
  import->footer(
      "Examples:\n  imago data import cifar10\n  imago data import photos.tar.gz --name photos --split 70/15/15");
  import->callback([&context, options] { context.action = [&context, options] { return run_import(context, *options);
};
}  // namespace imago::app
);

auto* list = data->add_subcommand("list", "All data sets and versions");
list->footer("Example:\n  imago data list");
list->callback([&context] { context.action = [&context] { return run_list(context); }; });

auto* show = data->add_subcommand("show", "Images of each class and split");
auto reference = std::make_shared<std::string>();
auto refused = std::make_shared<bool>(false);
show->add_option("dataset", *reference, "NAME or NAME@VERSION")->required();
show->add_flag("--refused", *refused, "The files that were not taken, with reasons");
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
