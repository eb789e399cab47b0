// SPDX-License-Identifier: Apache-2.0
// imago data add | uploads | label | remove
#include "app/data_subcommands.hpp"
#include "app/local_files.hpp"
#include "app/model_choice.hpp"
#include "app/table.hpp"
#include "data/upload_json.hpp"

namespace imago::app {
namespace {

struct AddOptions {
  std::vector<std::string> paths;
  std::string label;
  std::string model;
};

data::Uploads open_uploads(pipeline::Workspace& workspace) {
  return {workspace.database(), workspace.folder() / "uploads"};
}

/// Those of `model`, or of the newest model; none while there is no model at all.
Result<std::vector<std::string>> labels_of(pipeline::Workspace& workspace, const std::string& model) {
  const auto version = choose_model(workspace, model);
  if (!version && model.empty() && version.error().code == ErrorCode::NotFound) return std::vector<std::string>();
  if (!version) return tl::unexpected<Error>(version.error());
  TRY(auto package, workspace.models().open(*version));
  return std::move(package.spec.labels);
}

json::Value to_json(const data::UploadReport& report) {
  return {{"count", report.accepted.size()},
          {"uploads", data::to_json(report.accepted)},
          {"rejected", data::to_json(report.rejected)},
          {"aliases", data::to_json(report.aliases)}};
}

Result<void> run_add(Context& context, const AddOptions& options) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto labels, labels_of(*workspace, options.model));
  auto uploads = open_uploads(*workspace);
  TRY(const auto report, take_in(uploads, options.paths, labels, options.label));
  context.answer(to_json(report), in_words(report));
  if (report.accepted.empty())
    return fail(ErrorCode::InvalidArgument, "no image was taken: each of the {} files was refused",
                report.rejected.size());
  return {};
}

Result<void> run_list(Context& context, bool unlabelled) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto staged, open_uploads(*workspace).staged(unlabelled ? std::optional(false) : std::nullopt));
  std::vector<std::vector<std::string>> rows{{"ID", "LABEL", "SIZE", "SENT", "NAME"}};
  for (const auto& upload : staged)
    rows.push_back({upload.id, upload.label.empty() ? "-" : upload.label,
                    fmt::format("{} x {}", upload.width, upload.height), upload.created, upload.name});
  context.answer(data::to_json(staged),
                 staged.empty() ? "no image waits: send some with `imago data add`\n" : format_columns(rows));
  return {};
}

Result<void> run_label(Context& context, const std::string& id, const std::string& label, const std::string& model) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto labels, labels_of(*workspace, model));
  TRY(const auto upload, open_uploads(*workspace).set_label(id, label, labels));
  context.answer(data::to_json(upload), fmt::format("{} ({}) is {}\n", upload.id, upload.name, upload.label));
  return {};
}

Result<void> run_remove(Context& context, const std::vector<std::string>& ids) {
  TRY(auto* workspace, context.workspace());
  auto uploads = open_uploads(*workspace);
  TRY_VOID(uploads.find(ids));  // all or none
  for (const auto& id : ids) TRY_VOID(uploads.remove(id));
  context.answer(json::Value{{"deleted", ids}}, fmt::format("{} images removed\n", ids.size()));
  return {};
}

void add_add(CLI::App& data, Context& context) {
  auto* command = data.add_subcommand("add", "Send in images for the next retraining, every file checked");
  auto options = std::make_shared<AddOptions>();
  command
      ->add_option("path", options->paths,
                   "Images, folders of classes (cat/1.jpg), archives of these, new_data.npz (x_new, y_new)")
      ->required();
  command->add_option("-l,--label", options->label, "Class of all of them; default: the folder each lies in");
  command->add_option("-m,--model", options->model, "Whose classes the labels are; default: the newest model's");
  command->footer("Examples:\n  imago data add data/train\n  imago data add cat1.jpg cat2.jpg --label cat");
  command->callback(
      [&context, options] { context.action = [&context, options] { return run_add(context, *options); }; });
}

void add_list(CLI::App& data, Context& context) {
  auto* command = data.add_subcommand("uploads", "Images that wait for a retraining");
  auto unlabelled = std::make_shared<bool>(false);
  command->add_flag("--unlabelled", *unlabelled, "Only those without a label");
  command->footer("Example:\n  imago data uploads --unlabelled");
  command->callback(
      [&context, unlabelled] { context.action = [&context, unlabelled] { return run_list(context, *unlabelled); }; });
}

void add_label(CLI::App& data, Context& context) {
  struct LabelOptions {
    std::string id, label, model;
  };
  auto* command = data.add_subcommand("label", "Say what an image that waits shows");
  auto options = std::make_shared<LabelOptions>();
  command->add_option("id", options->id, "As `imago data uploads` lists it")->required();
  command->add_option("label", options->label, "Its class")->required();
  command->add_option("-m,--model", options->model, "Whose classes the labels are; default: the newest model's");
  command->footer("Example:\n  imago data label u4f0c9a1b2d3e4f50 cat");
  command->callback([&context, options] {
    context.action = [&context, options] { return run_label(context, options->id, options->label, options->model); };
  });
}

void add_remove(CLI::App& data, Context& context) {
  auto* command = data.add_subcommand("remove", "Take back images that wait");
  auto ids = std::make_shared<std::vector<std::string>>();
  command->add_option("id", *ids, "As `imago data uploads` lists them")->required();
  command->footer("Example:\n  imago data remove u4f0c9a1b2d3e4f50");
  command->callback([&context, ids] { context.action = [&context, ids] { return run_remove(context, *ids); }; });
}

}  // namespace

void add_upload_subcommands(CLI::App& data, Context& context) {
  add_add(data, context);
  add_list(data, context);
  add_label(data, context);
  add_remove(data, context);
}

}  // namespace imago::app
