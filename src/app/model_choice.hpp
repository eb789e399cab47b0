// SPDX-License-Identifier: Apache-2.0
// Which model is meant when nobody says.
#pragma once

#include <string>

#include "base/error.hpp"
#include "pipeline/workspace.hpp"

namespace imago::app {

/// `wanted` as Registry::resolve takes it; empty: the champion of the model that has the newest version. NotFound while
/// there is none.
Result<registry::ModelVersion> choose_model(pipeline::Workspace& workspace, const std::string& wanted);

}  // namespace imago::app
