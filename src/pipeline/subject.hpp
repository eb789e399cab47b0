// SPDX-License-Identifier: Apache-2.0
// Inside pipeline/: a registered model beside the images that it is to be measured on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "data/packed.hpp"
#include "package/package.hpp"
#include "pipeline/workspace.hpp"

namespace imago::pipeline {

struct Subject {
  registry::ModelVersion version;
  package::ModelPackage package;
  data::Manifest manifest;
  data::Split split = data::Split::Test;
  std::optional<data::PackedSplit> images;  ///< as this model sees them
  std::string note;                         ///< why it is not what the model was trained on

  [[nodiscard]] std::string name() const { return fmt::format("{}:{}", version.model, version.version); }
  [[nodiscard]] std::string dataset() const { return manifest.name + "@" + data::version_of(manifest); }
};

/// @param dataset NAME[@VERSION][:SPLIT]; without a name what the model was trained on, or where that version is not
/// here the newest of that name. @param otherwise the split, unless `dataset` names one.
/// @error as Registry::resolve and Repository::load; InvalidArgument as check_labels, and when the split is empty.
Result<Subject> open_subject(Workspace& workspace, const std::string& model, const std::string& dataset,
                             data::Split otherwise = data::Split::Test);

/// InvalidArgument, naming the first class that differs.
Result<void> check_labels(const std::vector<std::string>& model, const std::vector<std::string>& dataset);

}  // namespace imago::pipeline
