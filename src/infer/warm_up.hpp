// SPDX-License-Identifier: Apache-2.0
// What an engine does only once for each size of a batch (it chooses and generates code: 30 ms for a small network,
// some hundred for a large one), done before anybody waits for it.
#pragma once

#include <memory>
#include <vector>

#include "model/classifier.hpp"
#include "model/graph.hpp"

namespace imago::infer {

/// Batches of zeros on all engines at the same time: of 1, of `max_batch` (or 32), then of what lies between, as many
/// as there is time for. One that fails is left: it will say so when it is asked.
void warm_up(const std::vector<std::unique_ptr<model::Classifier>>& engines, const model::InputShape& input,
             int max_batch);

}  // namespace imago::infer
