// SPDX-License-Identifier: Apache-2.0
#include "app/model_choice.hpp"

#include <algorithm>

namespace imago::app {

Result<registry::ModelVersion> choose_model(pipeline::Workspace& workspace, const std::string& wanted) {
  if (!wanted.empty()) return workspace.models().resolve(wanted);
  TRY(const auto versions, workspace.models().list());
  if (versions.empty()) return fail(ErrorCode::NotFound, "no model yet: train one with `imago train`");
  const auto newest = std::max_element(versions.begin(), versions.end(),
                                       [](const auto& a, const auto& b) { return a.created < b.created; });
  return workspace.models().resolve(newest->model);
}

}  // namespace imago::app
