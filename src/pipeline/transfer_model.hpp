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
  Compact,      ///< the same with weights as float16 and without what follows from the rest
  Onnx,         ///< model.onnx alone
  Safetensors,  ///< weights.safetensors alone
};
/// "package", "compact", "onnx", "safetensors". InvalidArgument for another.
Result<ExportFormat> export_format_from(std::string_view name);

struct ExportReport {
  registry::ModelVersion version;
  std::filesystem::path target;  ///< what was written
};

struct ExportRequest {
  std::string reference;         ///< MODEL, MODEL:VERSION or MODEL:ALIAS
  std::filesystem::path target;  ///< a file, or a folder: then single files go into it as MODEL-VERSION.onnx
  ExportFormat format = ExportFormat::Package;
  /// Of the compact form: golden images that the program draws, so that none of the data set's leaves with the model.
  bool drawn_golden = false;
  std::filesystem::path trainer;  ///< the imago-trainer program, which the compact form needs
};

/// Writes a version, after checking each of its files. The same version gives the same bytes, tar or folder, wherever
/// it is written. AlreadyExists when something is there; InvalidArgument for drawn images in another form; NotFound and
/// Corrupt as of the registry.
Result<ExportReport> export_model(Workspace& workspace, const ExportRequest& request);

struct ImportedModel {
  registry::ModelVersion version;
  bool known = false;  ///< this very package was a version of this model already: nothing was done
};

struct ImportRequest {
  std::filesystem::path
      source;        ///< a folder or a tar, compressed or not, with the package at its root or in one folder
  std::string name;  ///< to register it under; empty: the one it carries
  std::filesystem::path trainer;  ///< the imago-trainer program, which the compact form needs
  std::string reason;             ///< for the history of its aliases; empty: "imported from FILE"
};

/// Registers a package, after expanding it when it is in compact form, checking every hash, and replaying the golden
/// set on this machine. It becomes the next version, and champion and base when the model is new. Corrupt for anything
/// that is not a whole package: a link, a name that leads outside, a file that was altered, is missing or is too much;
/// nothing is changed.
Result<ImportedModel> import_model(Workspace& workspace, const ImportRequest& request);

}  // namespace imago::pipeline
