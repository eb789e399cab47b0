// SPDX-License-Identifier: Apache-2.0
#include "serve/batch_settings.hpp"

#include <algorithm>
#include <array>

namespace imago::serve {
namespace {

using Member = std::optional<std::int64_t> BatchSettings::*;

struct Known {
  const char* name;
  Member member;
  std::int64_t least, most;
};

/// Names are columns, too.
constexpr std::array<Known, 4> kKnown{{{"max_batch", &BatchSettings::max_batch, 1, 1024},
                                       {"batch_delay_us", &BatchSettings::batch_delay_us, 0, 1'000'000},
                                       {"max_queue", &BatchSettings::max_queue, 1, 1'000'000},
                                       {"workers", &BatchSettings::workers, 1, 256}}};

Result<void> check(const BatchSettings& settings) {
  for (const auto& known : kKnown) {
    const auto& value = settings.*known.member;
    if (value && (*value < known.least || *value > known.most))
      return fail(ErrorCode::InvalidArgument, "{} is {}, not from {} to {}", known.name, *value, known.least,
                  known.most);
  }
  return {};
}

store::Value value_or_null(const std::optional<std::int64_t>& value) {
  return value ? store::Value(*value) : store::Value();
}

}  // namespace

infer::BatcherOptions BatchSettings::over(infer::BatcherOptions server) const {
  if (max_batch) server.max_batch = static_cast<int>(*max_batch);
  if (batch_delay_us) server.max_delay = std::chrono::microseconds(*batch_delay_us);
  if (max_queue) server.max_queue = static_cast<std::size_t>(*max_queue);
  if (workers) server.workers = static_cast<int>(*workers);
  return server;
}

json::Value to_json(const BatchSettings& settings) {
  json::Value value = json::Value::object();
  for (const auto& known : kKnown)
    value[known.name] = settings.*known.member ? json::Value(*(settings.*known.member)) : json::Value();
  return value;
}

json::Value to_json(const infer::BatcherOptions& options) {
  return {{"max_batch", options.max_batch},
          {"batch_delay_us", options.max_delay.count()},
          {"max_queue", options.max_queue},
          {"workers", options.workers}};
}

Result<BatchSettings> batch_settings_from(const json::Value& value) {
  BatchSettings settings;
  for (const auto& [name, content] : value.items()) {
    const auto* known = std::ranges::find(kKnown, std::string_view(name), &Known::name);
    if (known == kKnown.end())
      return fail(ErrorCode::InvalidArgument,
                  "'{}' is no setting of batches: max_batch, batch_delay_us, max_queue, workers", name.substr(0, 64));
    if (content.is_null()) continue;
    TRY(settings.*known->member, json::get<std::int64_t>(value, name));
  }
  TRY_VOID(check(settings));
  return settings;
}

Result<BatchSettings> read_batch_settings(store::Database& database, const std::string& model) {
  TRY(const auto rows, database.query("SELECT * FROM batch_settings WHERE model = :a", {model}));
  BatchSettings settings;
  for (const auto& known : kKnown) {
    if (!rows.empty() && !rows.front().is_null(known.name)) settings.*known.member = rows.front().integer(known.name);
  }
  return settings;
}

Result<void> write_batch_settings(store::Database& database, const std::string& model, const BatchSettings& settings) {
  TRY_VOID(check(settings));
  return database.transaction([&](store::Database& inside) -> Result<void> {
    TRY_VOID(inside.execute("DELETE FROM batch_settings WHERE model = :a", {model}));
    if (settings == BatchSettings{}) return {};
    TRY_VOID(inside.execute(
        "INSERT INTO batch_settings (model, max_batch, batch_delay_us, max_queue, workers) VALUES (:a, :b, :c, :d, :e)",
        {model, value_or_null(settings.max_batch), value_or_null(settings.batch_delay_us),
         value_or_null(settings.max_queue), value_or_null(settings.workers)}));
    return {};
  });
}

}  // namespace imago::serve
