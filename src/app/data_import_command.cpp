// SPDX-License-Identifier: Apache-2.0
// imago data import
#include <algorithm>
#include <cmath>

#include "app/data_report.hpp"
#include "app/data_subcommands.hpp"
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
  bool group_duplicates = false;
};

Result<data::SplitRatios> parse_split(const std::string& text) {
  double train = 0;
  double validation = 0;
  double test = 0;
  int used = 0;
  const bool numbers = std::sscanf(text.c_str(), "%lf/%lf/%lf%n", &train, &validation, &test, &used) == 3 &&
                       used == static_cast<int>(text.size());
  const double sum = train + validation + test;
  if (!numbers || !std::isfinite(sum))
    return fail(ErrorCode::InvalidArgument, "--split {}: expected TRAIN/VALIDATION/TEST, such as 80/10/10", text);
  if (train <= 0 || validation < 0 || test < 0)
    return fail(ErrorCode::InvalidArgument, "--split {}: training needs more than 0, the others at least 0", text);
  if (std::abs(sum - 100) > 1e-6 && std::abs(sum - 1) > 1e-6)
    return fail(ErrorCode::InvalidArgument, "--split {}: the three make {}, but should make 100", text, sum);
  return data::SplitRatios{validation / sum, test / sum};
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
  if (source == "cifar100") return data::locate_cifar100(where);
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

Result<data::ImportReport> draw_shapes(pipeline::Workspace& workspace, const std::string& name, std::uint64_t seed,
                                       Progress& progress) {
  data::ShapesRequest request;
  request.name = name;
  request.seed = seed;
  return pipeline::generate_shapes(
      workspace, request, [&](std::size_t done, std::size_t total) { progress.update("drawing", done, total); },
      &stop_flag());
}

Result<data::ImportReport> import_files(pipeline::Workspace& workspace, const std::string& name,
                                        const ImportOptions& options, const data::SplitRatios& ratios,
                                        Progress& progress) {
  TRY(const auto located, locate(options.source, options.from, workspace.folder() / "downloads", progress));
  progress.print(fmt::format("reading {} ({})", located.path.filename().string(), located.found));
  const data::ImportRequest request{.name = name,
                                    .source = located.path,
                                    .ratios = ratios,
                                    .seed = options.seed,
                                    .group_duplicates = options.group_duplicates};
  const auto show = [&](const data::ImportProgress& now) {
    const double share =
        now.bytes_total > 0 ? static_cast<double>(now.bytes_read) / static_cast<double>(now.bytes_total) : 0.0;
    progress.update_share("checking images", now.images, share);
  };
  return pipeline::import_dataset(workspace, request, show, &stop_flag());
}

Result<void> run_import(Context& context, const ImportOptions& options) {
  TRY(const auto ratios, parse_split(options.split));
  TRY(auto* workspace, context.workspace());
  catch_stop_signals();
  Progress progress(context.progress());
  const bool known = std::ranges::find(data::kNamed, options.source) != data::kNamed.end();
  const std::string name = !options.name.empty() ? options.name : known ? options.source : name_from(options.source);
  auto report = options.source == "shapes" ? draw_shapes(*workspace, name, options.seed, progress)
                                           : import_files(*workspace, name, options, ratios, progress);
  if (!report) return pass(report);
  progress.end();
  context.answer(to_json(*report, name), import_text(*report, name));
  return {};
}

}  // namespace

void add_import_subcommand(CLI::App& data, Context& context) {
  auto* command = data.add_subcommand("import", "Bring images into the workspace as a data set, every file checked");
  auto options = std::make_shared<ImportOptions>();
  command
      ->add_option("source", options->source,
                   "cifar10, cifar100, cats-dogs, shapes (drawn by the program); a folder or archive: CLASS/x.jpg, "
                   "train/CLASS/x.jpg, cat.0.jpg; a .csv with the columns path, label and maybe split; an .npz with "
                   "x_train and y_train")
      ->required();
  command->add_option("--name", options->name, "What to call it; default: after the source");
  command->add_option("--from", options->from,
                      "cifar10, cifar100, cats-dogs: the file or folder to read instead of looking for it");
  command
      ->add_option("--split", options->split,
                   "TRAIN/VALIDATION/TEST, which make 100; a test folder of the source stays as it is")
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Of the split")->capture_default_str();
  command->add_flag("--group-duplicates", options->group_duplicates,
                    "Keep images that look the same on one side of the split");
  command->footer(
      "Examples:\n  imago data import cifar10\n  imago data import photos.tar.gz --name photos --split 70/15/15");
  command->callback(
      [&context, options] { context.action = [&context, options] { return run_import(context, *options); }; });
}

}  // namespace imago::app
