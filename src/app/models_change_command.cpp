// SPDX-License-Identifier: Apache-2.0
// imago models promote | rollback | export | import
#include "app/audit_note.hpp"
#include "app/models_command.hpp"
#include "app/shipped_models.hpp"
#include "pipeline/transfer_model.hpp"

namespace imago::app {
namespace {

void answer_change(const Context& context, const registry::AliasChange& change) {
  const json::Value value{{"model", change.model},
                          {"alias", change.alias},
                          {"version", change.version},
                          {"previous", change.previous ? json::Value(*change.previous) : json::Value()}};
  std::string before;
  if (change.previous == change.version) {
    before = ", as before";
  } else if (change.previous) {
    before = fmt::format("; it was version {}", *change.previous);
  }
  context.answer(value, fmt::format("{}@{} is version {}{}\n", change.model, change.alias, change.version, before));
}

struct MoveOptions {
  std::string model;
  std::string alias = "champion";
  std::string reason;
};

Result<void> run_promote(Context& context, const MoveOptions& options) {
  TRY(auto* workspace, context.workspace());
  if (options.model.find_first_of(":@") == std::string::npos)
    return fail(ErrorCode::InvalidArgument, "which version? Say {}:VERSION; `imago models list` shows them",
                options.model);
  TRY(const auto version, workspace->models().resolve(options.model));
  TRY(const auto change, workspace->models().set_alias(version.model, options.alias, version.version,
                                                       options.reason.empty() ? "promoted by hand" : options.reason));
  answer_change(context, change);
  return {};
}

Result<void> run_rollback(Context& context, const MoveOptions& options) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto change, workspace->models().roll_back(options.model, options.alias, options.reason));
  answer_change(context, change);
  return {};
}

struct ExportOptions {
  std::string model, target, format = "package";
  bool drawn_golden = false;
};

Result<void> run_export(Context& context, const ExportOptions& options) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto format, pipeline::export_format_from(options.format));
  TRY(const auto report, pipeline::export_model(*workspace, {.reference = options.model,
                                                             .target = options.target,
                                                             .format = format,
                                                             .drawn_golden = options.drawn_golden,
                                                             .trainer = program_folder() / "imago-trainer"}));
  const json::Value value{{"model", report.version.model},
                          {"version", report.version.version},
                          {"digest", report.version.digest},
                          {"format", options.format},
                          {"path", report.target.string()}};
  context.answer(value,
                 fmt::format("{}:{} is in {}\n", report.version.model, report.version.version, report.target.string()));
  return {};
}

Result<void> run_import(Context& context, const std::string& source, const std::string& name) {
  pipeline::ImportRequest request{.source = source, .name = name, .trainer = program_folder() / "imago-trainer"};
  if (const auto shipped = find_shipped_model(source)) {
    request.source = shipped->file;
    request.reason = fmt::format("ships with Imago as {}", shipped->name);
  } else if (std::error_code error; source.find('/') == std::string::npos && !std::filesystem::exists(source, error)) {
    return fail(ErrorCode::NotFound, "'{}' is neither a file or folder here nor a model that ships with Imago ({})",
                source, shipped_names());
  }
  TRY(auto* workspace, context.workspace());
  TRY(const auto made, pipeline::import_model(*workspace, request));
  json::Value value = to_json(made.version);
  value["known"] = made.known;
  context.answer(value, fmt::format("{}:{} {}\n", made.version.model, made.version.version,
                                    made.known ? "is this package already: nothing was done"
                                               : "registered; its golden set gives the same logits here"));
  return {};
}

void add_promote(CLI::App& models, Context& context) {
  auto* command = models.add_subcommand("promote", "Point an alias to a version");
  auto options = std::make_shared<MoveOptions>();
  command->add_option("model", options->model, "MODEL:VERSION or MODEL:ALIAS")->required();
  command->add_option("--alias", options->alias, "Which alias")->capture_default_str();
  command->add_option("--reason", options->reason, "Kept in the history");
  command->footer("Example:\n  imago models promote cifar10:2 --reason 'better on dogs'");
  command->callback([&context, options] {
    context.action = [&context, options] {
      return note_change(context, "models promote", fmt::format("{} as {}", options->model, options->alias),
                         run_promote(context, *options));
    };
  });
}

void add_rollback(CLI::App& models, Context& context) {
  auto* command =
      models.add_subcommand("rollback", "Take back an alias's last move; repeated, the one before it, and so on");
  auto options = std::make_shared<MoveOptions>();
  command->add_option("model", options->model, "Name of the model")->required();
  command->add_option("--alias", options->alias, "Which alias")->capture_default_str();
  command->add_option("--reason", options->reason, "Kept in the history");
  command->footer(
      "After promotions of 1, 2 and 3 it leads to 2, then to 1. A promotion after a rollback starts from there.\n"
      "Example:\n  imago models rollback cifar10");
  command->callback([&context, options] {
    context.action = [&context, options] {
      return note_change(context, "models rollback", fmt::format("{}@{}", options->model, options->alias),
                         run_rollback(context, *options));
    };
  });
}

void add_export(CLI::App& models, Context& context) {
  auto* command = models.add_subcommand("export", "Write a version to a folder or a file");
  auto options = std::make_shared<ExportOptions>();
  command->add_option("model", options->model, "MODEL (its champion), MODEL:VERSION or MODEL:ALIAS")->required();
  command->add_option("target", options->target, "A folder, or a file ending in .tar; with another format a file")
      ->required();
  command
      ->add_option(
          "--format", options->format,
          "package; compact: the same with weights rounded to float16, a fifth to a third of the size; onnx or "
          "safetensors")
      ->check(CLI::IsMember({"package", "compact", "onnx", "safetensors"}))
      ->capture_default_str();
  command->add_flag(
      "--drawn-golden", options->drawn_golden,
      "Compact: golden images that the program draws, so that none of the data set's leaves with the model");
  command->footer(
      "Examples:\n  imago models export cifar10 cifar10.tar\n  imago models export cifar10 small.tar --format compact\n"
      "  imago models export cifar10:2 net.onnx --format onnx");
  command->callback(
      [&context, options] { context.action = [&context, options] { return run_export(context, *options); }; });
}

void add_import(CLI::App& models, Context& context) {
  auto* command = models.add_subcommand("import", "Register an exported package, after checking all of it");
  auto source = std::make_shared<std::string>();
  auto name = std::make_shared<std::string>();
  command
      ->add_option("source", *source,
                   "A package's folder or .tar, whole or compact; or a model that ships with Imago "
                   "(`imago models list --shipped`)")
      ->required();
  command->add_option("--name", *name, "Under this name; default: the one it carries");
  command->footer("Examples:\n  imago models import cifar10\n  imago models import mine.tar --name cifar10");
  command->callback([&context, source, name] {
    context.action = [&context, source, name] {
      return note_change(context, "models import", *source, run_import(context, *source, *name));
    };
  });
}

}  // namespace

void add_model_changes(CLI::App& models, Context& context) {
  add_promote(models, context);
  add_rollback(models, context);
  add_export(models, context);
  add_import(models, context);
}

}  // namespace imago::app
