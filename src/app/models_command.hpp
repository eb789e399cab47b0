// SPDX-License-Identifier: Apache-2.0
// What the files of `imago models` share.
#pragma once

#include "app/command.hpp"

namespace imago::app {

json::Value to_json(const registry::ModelVersion& version);

/// promote, rollback, export and import.
void add_model_changes(CLI::App& models, Context& context);

/// threshold.
void add_threshold(CLI::App& models, Context& context);

/// batch.
void add_batch(CLI::App& models, Context& context);

/// average.
void add_average(CLI::App& models, Context& context);

}  // namespace imago::app
