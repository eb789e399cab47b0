// SPDX-License-Identifier: Apache-2.0
// imago data export | diff
#include <algorithm>
#include <map>

#include "app/data_subcommands.hpp"
#include "app/table.hpp"
#include "data/diff.hpp"
#include "data/export.hpp"

namespace imago::app {
namespace {

constexpr std::size_t kShown = 10;

struct ExportOptions {
  std::string dataset;
  std::string target;
  std::string split;
};

Result<void> run_export(Context& context, const ExportOptions& options) {
  std::optional<data::Split> split;
  if (!options.split.empty()) {
    TRY(split, data::split_from(options.split));
  }
  TRY(auto* workspace, context.workspace());
  TRY(const auto manifest, workspace->datasets().load(options.dataset));
  catch_stop_signals();
  Progress progress(context.progress());
  TRY(const auto report,
      data::export_dataset(
          workspace->datasets(), manifest, split, options.target,
          [&](std::size_t done, std::size_t total) { progress.update("writing", done, total); }, &stop_flag()));
  progress.end();
  const auto reference = manifest.name + "@" + data::version_of(manifest);
  context.answer(
      {{"dataset", reference}, {"path", options.target}, {"files", report.files}, {"bytes", report.bytes}},
      fmt::format("{}: {} images, {} bytes, in {}\n", reference, report.files, report.bytes, options.target));
  return {};
}

json::Value to_json(const std::vector<data::DiffImage>& images) {
  auto list = json::Value::array();
  for (const auto& image : images)
    list.push_back({{"path", image.path},
                    {"label", image.label},
                    {"split", data::to_string(image.split)},
                    {"sha256", image.sha256}});
  return list;
}

json::Value to_json(const std::vector<data::DiffChange>& changes, bool labels) {
  auto list = json::Value::array();
  for (const auto& [before, after] : changes)
    list.push_back({{"path", after.path},
                    {"from", labels ? before.label : std::string(data::to_string(before.split))},
                    {"to", labels ? after.label : std::string(data::to_string(after.split))},
                    {"sha256", after.sha256}});
  return list;
}

/// Label -> images of the first, of the second.
std::map<std::string, std::pair<std::size_t, std::size_t>> count_labels(const data::Manifest& a,
                                                                        const data::Manifest& b) {
  std::map<std::string, std::pair<std::size_t, std::size_t>> counts;
  for (const auto& entry : a.entries) ++counts[a.labels[static_cast<std::size_t>(entry.label)]].first;
  for (const auto& entry : b.entries) ++counts[b.labels[static_cast<std::size_t>(entry.label)]].second;
  return counts;
}

/// The first of `lines`, and how many more there are.
std::string first_of(const std::vector<std::string>& lines) {
  std::string text;
  for (std::size_t i = 0; i < std::min(lines.size(), kShown); ++i) text += lines[i] + "\n";
  if (lines.size() > kShown) text += fmt::format("  and {} more\n", lines.size() - kShown);
  return text;
}

std::string diff_text(const data::DatasetDiff& diff,
                      const std::map<std::string, std::pair<std::size_t, std::size_t>>& counts) {
  const auto lines = [](const auto& items, const auto& line) {
    std::vector<std::string> found;
    for (const auto& item : items) found.push_back(line(item));
    return found;
  };
  std::string text = first_of(lines(diff.added, [](const data::DiffImage& image) {
    return fmt::format("+ {} {} ({})", data::to_string(image.split), image.label, image.path);
  }));
  text += first_of(lines(diff.removed, [](const data::DiffImage& image) {
    return fmt::format("- {} {} ({})", data::to_string(image.split), image.label, image.path);
  }));
  text += first_of(lines(diff.relabelled, [](const data::DiffChange& change) {
    return fmt::format("~ {} -> {} ({})", change.before.label, change.after.label, change.after.path);
  }));
  text += first_of(lines(diff.moved, [](const data::DiffChange& change) {
    return fmt::format("> {} -> {} ({})", data::to_string(change.before.split), data::to_string(change.after.split),
                       change.after.path);
  }));
  std::vector<std::vector<std::string>> rows{{"CLASS", "BEFORE", "AFTER"}};
  for (const auto& [label, images] : counts)
    rows.push_back({label, std::to_string(images.first), std::to_string(images.second)});
  return text + (text.empty() ? "" : "\n") + format_columns(rows) +
         fmt::format("\n{} added, {} removed, {} relabelled, {} moved to another split, {} as before\n",
                     diff.added.size(), diff.removed.size(), diff.relabelled.size(), diff.moved.size(), diff.unchanged);
}

Result<void> run_diff(Context& context, const std::string& a, const std::string& b) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto before, workspace->datasets().load(a));
  TRY(const auto after, workspace->datasets().load(b));
  const auto diff = data::diff_datasets(before, after);
  const auto counts = count_labels(before, after);
  auto by_label = json::Value::object();
  for (const auto& [label, images] : counts) by_label[label] = {{"before", images.first}, {"after", images.second}};
  context.answer({{"before", before.name + "@" + data::version_of(before)},
                  {"after", after.name + "@" + data::version_of(after)},
                  {"added", to_json(diff.added)},
                  {"removed", to_json(diff.removed)},
                  {"relabelled", to_json(diff.relabelled, true)},
                  {"moved", to_json(diff.moved, false)},
                  {"unchanged", diff.unchanged},
                  {"counts", std::move(by_label)}},
                 diff_text(diff, counts));
  return {};
}

}  // namespace

void add_export_subcommands(CLI::App& data, Context& context) {
  auto* export_command = data.add_subcommand("export", "Write a data set's images as SPLIT/CLASS/FILE");
  auto options = std::make_shared<ExportOptions>();
  export_command->add_option("dataset", options->dataset, "NAME or NAME@VERSION")->required();
  export_command
      ->add_option("target", options->target,
                   "A folder that is not there or empty, or a new FILE.tar; the same images give the same bytes")
      ->required();
  export_command->add_option("--split", options->split, "Only train, validation or test");
  export_command->footer("Examples:\n  imago data export cifar10 data/cifar10\n  imago data export pets@1f2e pets.tar");
  export_command->callback(
      [&context, options] { context.action = [&context, options] { return run_export(context, *options); }; });

  auto* diff = data.add_subcommand("diff", "What changed between two data sets or versions, by content");
  auto references = std::make_shared<std::pair<std::string, std::string>>();
  diff->add_option("before", references->first, "NAME or NAME@VERSION")->required();
  diff->add_option("after", references->second, "NAME or NAME@VERSION")->required();
  diff->footer("Example:\n  imago data diff cifar10@0123 cifar10");
  diff->callback([&context, references] {
    context.action = [&context, references] { return run_diff(context, references->first, references->second); };
  });
}

}  // namespace imago::app
