// SPDX-License-Identifier: Apache-2.0
// What is counted of models, as Prometheus wants it.
#pragma once

#include <memory>
#include <vector>

#include "monitor/model_metrics.hpp"

namespace prometheus {
struct MetricFamily;
}

namespace imago::monitor {

/// The series that docs/api.md lists with the labels `model` and `version`.
void append_models(const std::vector<std::shared_ptr<const ModelMetrics>>& models,
                   std::vector<prometheus::MetricFamily>& families);

}  // namespace imago::monitor
