// SPDX-License-Identifier: Apache-2.0
// Images into the workspace: the files through data, and a row that the rest of the program finds them by.
#pragma once

#include <atomic>
#include <functional>

#include "base/error.hpp"
#include "data/import.hpp"
#include "data/shapes.hpp"
#include "pipeline/workspace.hpp"

namespace imago::pipeline {

/// data::import_dataset, recorded.
Result<data::ImportReport> import_dataset(Workspace& workspace, const data::ImportRequest& request,
                                          const data::OnImportProgress& on_progress, const std::atomic<bool>* stop);

/// data::generate_shapes, recorded.
Result<data::ImportReport> generate_shapes(Workspace& workspace, const data::ShapesRequest& request,
                                           const std::function<void(std::size_t, std::size_t)>& on_progress,
                                           const std::atomic<bool>* stop);

}  // namespace imago::pipeline
