// SPDX-License-Identifier: Apache-2.0
#include "model/spec.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace imago::model {
namespace {

constexpr int kFormat = 1;

Result<void> check_labels(const ModelSpec& spec) {
  if (spec.labels.size() < 2) {
    return fail(ErrorCode::InvalidArgument, "'labels' has {}, at least 2 are needed", spec.labels.size());
  }
  std::set<std::string_view> seen;
  for (const std::string& label : spec.labels) {
    if (label.empty()) return fail(ErrorCode::InvalidArgument, "'labels' has an empty one");
    if (!seen.insert(label).second) return fail(ErrorCode::InvalidArgument, "'labels' has '{}' twice", label);
  }
  for (const auto& [alias, label] : spec.aliases) {
    if (!seen.contains(label)) {
      return fail(ErrorCode::InvalidArgument, "'aliases': '{}' stands for '{}', which is no label", alias, label);
    }
  }
  return {};
}

Result<void> check(const ModelSpec& spec) {
  TRY_VOID(check_labels(spec));
  TRY(const auto nodes, summarize(spec.graph));
  const int outputs = nodes.back().output.front();
  if (outputs != spec.classes() && !(outputs == 1 && spec.classes() == 2)) {
    return fail(ErrorCode::InvalidArgument, "'labels' has {}, but the graph has {} outputs", spec.classes(), outputs);
  }
  const InputShape& input = spec.graph.input;
  if (input.channels != 3 || input.height != spec.preprocess.height || input.width != spec.preprocess.width) {
    return fail(ErrorCode::InvalidArgument, "'preprocess' makes [3, {}, {}], but the graph takes [{}, {}, {}]",
                spec.preprocess.height, spec.preprocess.width, input.channels, input.height, input.width);
  }
  if (!(spec.temperature > 0.0 && spec.temperature < 1e6)) {
    return fail(ErrorCode::InvalidArgument, "'temperature' is {}, not above 0", spec.temperature);
  }
  return {};
}

Result<std::map<std::string, std::string>> aliases_from_json(const json::Value& value) {
  std::map<std::string, std::string> aliases;
  if (!value.is_object()) return fail(ErrorCode::InvalidArgument, "'aliases' is not an object");
  for (const auto& [alias, label] : value.items()) {
    if (!label.is_string()) return fail(ErrorCode::InvalidArgument, "'aliases': '{}' is not a string", alias);
    aliases[alias] = label.get<std::string>();
  }
  return aliases;
}

/// None in packages written before there were views.
Result<Views> views_of(const json::Value& value, const char* key) {
  TRY(const auto name, json::get_or<std::string>(value, key, "none"));
  auto views = views_from(name);
  if (!views) return pass(views, fmt::format("'{}'", key));
  return *views;
}

}  // namespace

json::Value to_json(const ModelSpec& spec) {
  json::Value aliases = json::Value::object();
  for (const auto& [alias, label] : spec.aliases) aliases[alias] = label;
  return {{"format", kFormat},
          {"name", spec.name},
          {"labels", spec.labels},
          {"aliases", std::move(aliases)},
          {"preprocess", image::to_json(spec.preprocess)},
          {"temperature", spec.temperature},
          {"views", to_string(spec.views)},
          {"evaluation_views", to_string(spec.evaluation_views)},
          {"graph", to_json(spec.graph)}};
}

Result<ModelSpec> spec_from_json(const json::Value& value) {
  TRY(const int format, json::get<int>(value, "format"));
  if (format != kFormat) return fail(ErrorCode::Unsupported, "spec format {}, this program reads {}", format, kFormat);
  ModelSpec spec;
  TRY(spec.name, json::get<std::string>(value, "name"));
  TRY(spec.labels, json::get<std::vector<std::string>>(value, "labels"));
  TRY(const auto aliases, json::get_or<json::Value>(value, "aliases", json::Value::object()));
  TRY(spec.aliases, aliases_from_json(aliases));
  TRY(const auto preprocess, json::get<json::Value>(value, "preprocess"));
  TRY(spec.preprocess, image::preprocess_from_json(preprocess));
  TRY(spec.temperature, json::get_or<double>(value, "temperature", 1.0));
  TRY(spec.views, views_of(value, "views"));
  TRY(spec.evaluation_views, views_of(value, "evaluation_views"));
  TRY(const auto graph, json::get<json::Value>(value, "graph"));
  auto parsed = graph_from_json(graph);
  if (!parsed) return pass(parsed, "'graph'");
  spec.graph = std::move(*parsed);
  TRY_VOID(check(spec));
  return spec;
}

}  // namespace imago::model
