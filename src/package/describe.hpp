// SPDX-License-Identifier: Apache-2.0
// A package in words: what the command line and the HTTP API show of a model.
#pragma once

#include "base/error.hpp"
#include "json/json.hpp"
#include "package/package.hpp"

namespace imago::package {

/// {"architecture", "parameters", "macs", "labels", "aliases_of_labels", "input": {"width", "height", "channels"},
/// "preprocess", "temperature", "layers": [{"name", "kind", "output": [c, h, w], "parameters", "macs"}], "report",
/// "lineage"}; MACs of one image. InvalidArgument for a graph that is none.
Result<json::Value> describe(const ModelPackage& package);

}  // namespace imago::package
