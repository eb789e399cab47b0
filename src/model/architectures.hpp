// SPDX-License-Identifier: Apache-2.0
// The architectures, each one function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "json/json.hpp"
#include "model/graph.hpp"

namespace imago::model {

struct ArchitectureOptions {
  InputShape input;
  int classes = 10;
  json::Value settings = json::Value::object();  ///< a recipe's own, e.g. {"width": 1.5, "dropout": 0.3}
};

/// Builds `name`; NotFound listing the known ones, InvalidArgument for a setting it does not know.
Result<Graph> build_graph(std::string_view name, const ArchitectureOptions& options);

std::vector<std::string> architecture_names();

}  // namespace imago::model
