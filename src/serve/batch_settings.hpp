// SPDX-License-Identifier: Apache-2.0
// How requests for one model are batched, where that is to differ from what the server was started with. Kept beside
// the model in the database; `imago models batch` and /v1/models/{name}/batch set it. docs/api/models.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "infer/batcher.hpp"
#include "json/json.hpp"
#include "store/database.hpp"

namespace imago::serve {

/// What is not set is the server's own.
struct BatchSettings {
  std::optional<std::int64_t> max_batch, batch_delay_us, max_queue, workers;

  [[nodiscard]] infer::BatcherOptions over(infer::BatcherOptions server) const;
  bool operator==(const BatchSettings&) const = default;
};

/// {"max_batch", "batch_delay_us", "max_queue", "workers"}; null: not set.
json::Value to_json(const BatchSettings& settings);
/// The same of what is in effect.
json::Value to_json(const infer::BatcherOptions& options);
/// An object of some of those members; InvalidArgument, naming it, for another member or a value out of bounds.
Result<BatchSettings> batch_settings_from(const json::Value& value);

/// Empty ones where nothing was set.
Result<BatchSettings> read_batch_settings(store::Database& database, const std::string& model);
/// In place of what was set before. InvalidArgument for values out of bounds, and when there is no such model.
Result<void> write_batch_settings(store::Database& database, const std::string& model, const BatchSettings& settings);

}  // namespace imago::serve
