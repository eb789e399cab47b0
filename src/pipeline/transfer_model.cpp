// SPDX-License-Identifier: Apache-2.0
#include "pipeline/transfer_model.hpp"

#include <algorithm>

#include "base/files.hpp"
#include "data/shapes.hpp"
#include "data/source.hpp"
#include "data/write_archive.hpp"
#include "image/encode.hpp"
#include "infer/engine.hpp"
#include "jobs/task.hpp"
#include "package/compact.hpp"
#include "package/manifest.hpp"
#include "package/package.hpp"

namespace imago::pipeline {
namespace {

// A package has at most 64 files, the largest of 4 GiB (docs/formats/package.md); open_package checks the rest.
constexpr data::SourceLimits kLimits{.file_bytes = std::uint64_t{4} << 30,
                                     .total_bytes = std::uint64_t{12} << 30,
                                     .files = 80,
                                     .ratio = 200,
                                     .ratio_from = std::uint64_t{256} << 20};

package::WriteNetwork network_writer(const fs::path& trainer) {
  return [trainer](const fs::path& folder) -> Result<void> {
    TRY_VOID(jobs::run_task({.program = trainer,
                             .name = "network",
                             .purpose = "a model in compact form",
                             .input = {{"folder", folder.string()}},
                             .timeout = std::chrono::minutes(2),
                             .should_stop = {}}));
    return {};
  };
}

Result<std::unique_ptr<model::Classifier>> load_engine(const package::ModelPackage& package) {
  return infer::Engine::load(package);
}

/// As large as makes preprocessing shrink them, within what draw_shape draws.
Result<std::vector<std::string>> draw_golden(const image::Preprocess& preprocess) {
  const int side = std::clamp(std::max(preprocess.width, preprocess.height) * 3 / 2, 16, 512);
  std::vector<std::string> encoded;
  for (int i = 0; i < package::kGoldenImages; ++i) {
    TRY(encoded.emplace_back(), image::encode_jpeg(data::draw_shape(i, side, static_cast<std::uint64_t>(i))));
  }
  return encoded;
}

Result<std::vector<std::string>> files_of(const fs::path& package) {
  TRY(const auto found, package::list_files(package));
  std::vector<std::string> names{"manifest.json"};
  for (const auto& [name, bytes] : found) names.push_back(name);
  return names;
}

Result<void> copy_files(const fs::path& from, const fs::path& to) {
  TRY(const auto names, files_of(from));
  for (const auto& name : names) {
    TRY_VOID(make_directories((to / name).parent_path()));
    std::error_code error;
    fs::copy_file(from / name, to / name, error);
    if (error)
      return fail(error == std::errc::no_space_on_device ? ErrorCode::ResourceExhausted : ErrorCode::Internal,
                  "copying {}: {}", (from / name).string(), error.message());
  }
  return {};
}

fs::path parent_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

/// The folder to write into is there, and what is to be written is not.
Result<void> make_room(const fs::path& target) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(target, error)))
    return fail(ErrorCode::AlreadyExists, "{} is there already: choose another name, or remove it first",
                target.string());
  return make_directories(parent_of(target));
}

Result<void> check_package_target(const fs::path& target) {
  for (const char* other : {".gz", ".tgz", ".zip", ".xz", ".zst", ".bz2"}) {
    if (target.extension() == other)
      return fail(ErrorCode::InvalidArgument, "a package is exported as a folder or as a .tar, not as '{}'",
                  target.filename().string());
  }
  return {};
}

Result<void> export_package(const fs::path& folder, const fs::path& target) {
  if (target.extension() == ".tar") {
    TRY(const auto names, files_of(folder));
    return data::write_tar(folder, names, target);
  }
  TRY(auto staging, TemporaryDirectory::create(parent_of(target), "export"));
  TRY_VOID(copy_files(folder, staging.path()));
  TRY_VOID(publish_directory(staging.path(), target));
  staging.release();
  return {};
}

Result<void> export_file(const fs::path& source, const fs::path& target) {
  TRY(const auto content, MappedFile::open(source));
  return write_file_atomic(target, as_text(content.bytes()));
}

/// Everything in the archive, as files below `folder`.
Result<void> unpack(const fs::path& archive, const fs::path& folder) {
  return data::read_archive(archive, kLimits, [&](data::SourceItem item) -> Result<void> {
    if (item.kind == data::SourceItem::Kind::Folder) return {};
    if (item.kind == data::SourceItem::Kind::Refused)
      return fail(ErrorCode::Corrupt, "{} is no model package: '{}' is {}", archive.string(), item.path, item.reason);
    const fs::path path = folder / item.path;
    std::error_code error;
    if (fs::exists(path, error))
      return fail(ErrorCode::Corrupt, "{} is no model package: '{}' is in it twice", archive.string(), item.path);
    TRY_VOID(make_directories(path.parent_path()));
    return write_file(path, item.bytes);
  });
}

/// Where in an unpacked archive the package is: at its root, or in the one folder that there is.
fs::path root_of(const fs::path& unpacked) {
  std::error_code error;
  if (fs::exists(unpacked / "manifest.json", error)) return unpacked;
  fs::path only;
  int entries = 0;
  for (const auto& entry : fs::directory_iterator(unpacked, error)) {
    ++entries;
    only = entry.path();
  }
  return entries == 1 && fs::is_directory(only, error) ? only : unpacked;
}

/// A copy of the package in `staging`, and where in it.
Result<fs::path> bring(const fs::path& source, const fs::path& staging) {
  std::error_code error;
  const auto status = fs::status(source, error);
  if (!fs::exists(status)) return fail(ErrorCode::NotFound, "no model package at {}", source.string());
  if (fs::is_directory(status)) {
    if (!package::is_compact(source)) TRY_VOID(package::open_package(source));
    TRY_VOID(copy_files(source, staging));
    return staging;
  }
  TRY_VOID(unpack(source, staging));
  return root_of(staging);
}

/// An error in a temporary folder, told of what the user knows.
template <class T>
tl::unexpected<Error> about(Result<T>& result, const fs::path& staged, const fs::path& source) {
  std::string& text = result.error().message;
  const std::string from = staged.string();
  const std::string to = source.string();
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return pass(result);
}

/// The golden set, by the engine of this machine.
Result<void> replay(const package::ModelPackage& package, const fs::path& staged, const fs::path& source) {
  auto engine = infer::Engine::load(package);
  if (!engine) return about(engine, staged, source);
  if (auto verified = package::verify_golden(package, **engine); !verified)
    return pass(verified, fmt::format("the self-test of {} failed", source.string()));
  return {};
}

}  // namespace

Result<ExportFormat> export_format_from(std::string_view name) {
  if (name == "package") return ExportFormat::Package;
  if (name == "compact") return ExportFormat::Compact;
  if (name == "onnx") return ExportFormat::Onnx;
  if (name == "safetensors") return ExportFormat::Safetensors;
  return fail(ErrorCode::InvalidArgument, "'{}' is no export format: there are package, compact, onnx and safetensors",
              name);
}

Result<ExportReport> export_model(Workspace& workspace, const ExportRequest& request) {
  const ExportFormat format = request.format;
  if (request.drawn_golden && format != ExportFormat::Compact)
    return fail(ErrorCode::InvalidArgument, "golden images are drawn for the compact form only: add --format compact");
  TRY(const auto version, workspace.models().resolve(request.reference));
  TRY(auto package, workspace.models().open(version));
  ExportReport report{.version = version, .target = request.target};
  if (!report.target.has_filename()) report.target = report.target.parent_path();  // "folder/"
  if (format == ExportFormat::Onnx || format == ExportFormat::Safetensors) {
    const bool onnx = format == ExportFormat::Onnx;
    std::error_code error;
    if (fs::is_directory(report.target, error))
      report.target /= fmt::format("{}-{}.{}", version.model, version.version, onnx ? "onnx" : "safetensors");
    TRY_VOID(make_room(report.target));
    TRY_VOID(export_file(onnx ? package.onnx_path() : package.weights_path(), report.target));
    return report;
  }
  TRY_VOID(check_package_target(report.target));
  TRY_VOID(make_room(report.target));
  if (format == ExportFormat::Package) {
    TRY_VOID(export_package(package.folder, report.target));
    return report;
  }
  if (request.drawn_golden) {
    TRY(package.golden.encoded, draw_golden(package.spec.preprocess));
  }
  TRY(const auto staging, TemporaryDirectory::create(workspace.folder(), "export"));
  TRY_VOID(package::write_compact(package, staging.path(), network_writer(request.trainer), load_engine));
  TRY_VOID(export_package(staging.path(), report.target));
  return report;
}

Result<ImportedModel> import_model(Workspace& workspace, const ImportRequest& request) {
  const auto& [source, name, trainer, reason] = request;
  if (!name.empty()) TRY_VOID(registry::check_model_name(name));
  TRY(const auto staging, TemporaryDirectory::create(workspace.folder(), "import"));
  TRY(const auto staged, bring(source, staging.path()));
  if (package::is_compact(staged)) {
    auto expanded = package::expand_compact(staged, network_writer(trainer));
    if (!expanded) return about(expanded, staged, source);
  }
  auto package = package::open_package(staged);
  if (!package) return about(package, staged, source);
  const std::string model = name.empty() ? package->spec.name : name;
  TRY_VOID(registry::check_model_name(model));

  TRY(const auto before, workspace.models().list(model));
  const auto same = std::find_if(before.begin(), before.end(),
                                 [&](const auto& version) { return version.digest == package->digest; });
  if (same != before.end()) return ImportedModel{*same, true};

  TRY_VOID(replay(*package, staged, source));
  std::vector<std::string> aliases;
  if (before.empty()) aliases = {"champion", "base"};
  TRY(auto version, workspace.models().register_package(
                        model, staged, "", aliases,
                        reason.empty() ? fmt::format("imported from {}", source.filename().string()) : reason));
  return ImportedModel{std::move(version), false};
}

}  // namespace imago::pipeline
