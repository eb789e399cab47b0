// SPDX-License-Identifier: Apache-2.0
// Models out of a workspace and into another: as a folder, a tar, or one of the files inside.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "pipeline/workspace.hpp"

namespace imago::pipeline {

enum class ExportFormat {
  Package,      ///< all of it: a folder, or a tar when the target is named *.tar
  Onnx,         ///< model.onnx alone
  Safetensors,  ///< weights.safetensors alone
};
/// "package", "onnx", "safetensors". InvalidArgument for another.
Result<ExportFormat> export_format_from(std::string_view name);

struct ExportReport {
  registry::ModelVersion version;
  std::filesystem::path target;  ///< what was written
};

/// Writes a version, after checking each of its files. Where `target` is a folder already, single files are written
/// into it as MODEL-VERSION.onnx or .safetensors. The same version gives the same bytes, tar or folder, wherever it is
/// written. AlreadyExists when something is there; NotFound and Corrupt as of the registry.
Result<ExportReport> export_model(Workspace& workspace, const std::string& reference,
                                  const std::filesystem::path& target, ExportFormat format);

struct ImportedModel {
  registry::ModelVersion version;
  bool known = false;  ///< this very package was a version of this model already: nothing was done
};

/// Registers a package from a folder or a tar (compressed or not, at its root or in one folder) under `name`, or under
/// the one it carries when that is empty: after checking every hash and replaying the golden set on this machine. It
/// becomes the next version, and champion and base when the model is new. Corrupt for anything that is not a whole
/// package: a link, a name that leads outside, a file that was altered, is missing or is too much; nothing is changed.
Result<ImportedModel> import_model(Workspace& workspace, const std::filesystem::path& source, const std::string& name);

}  // namespace imago::pipeline
