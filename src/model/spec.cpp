// SPDX-License-Identifier: Apache-2.0
#include "model/spec.hpp"

#include <cmath>
#include <set>

namespace imago::model {
namespace {

constexpr std::size_t kMaxLabels = 100'000;

Result<void> check_labels(const std::vector<std::string>& labels) {
  if (labels.size() < 2 || labels.size() > kMaxLabels)
    return fail(ErrorCode::InvalidArgument, "labels: {} classes, from 2 to {} are supported", labels.size(),
                kMaxLabels);
  std::set<std::string_view> seen;
  for (const auto& label : labels) {
    if (label.empty()) return fail(ErrorCode::InvalidArgument, "labels: one is empty");
    if (!seen.insert(label).second) return fail(ErrorCode::InvalidArgument, "labels: '{}' stands twice", label);
  }
  return {};
}

Result<void> check(const ModelSpec& spec) {
  TRY_VOID(check_labels(spec.labels));
  TRY(const auto summaries, summarize(spec.graph));
  const int outputs = summaries.back().output[0];
  const bool one_logit = outputs == 1 && spec.labels.size() == 2;
  if (outputs != spec.classes() && !one_logit)
    return fail(ErrorCode::InvalidArgument, "graph: {} outputs for {} labels", outputs, spec.labels.size());
  if (spec.preprocess.width != spec.graph.input.width || spec.preprocess.height != spec.graph.input.height)
    return fail(ErrorCode::InvalidArgument, "preprocess makes {} x {} images, the graph takes {} x {}",
                spec.preprocess.width, spec.preprocess.height, spec.graph.input.width, spec.graph.input.height);
  if (!(spec.temperature > 0) || !std::isfinite(spec.temperature))
    return fail(ErrorCode::InvalidArgument, "temperature {} must be positive", spec.temperature);
  return {};
}

}  // namespace

json::Value to_json(const ModelSpec& spec) {
  return {{"format", 1},
          {"name", spec.name},
          {"labels", spec.labels},
          {"aliases", spec.aliases},
          {"preprocess", image::to_json(spec.preprocess)},
          {"temperature", spec.temperature},
          {"graph", to_json(spec.graph)}};
}

Result<ModelSpec> spec_from_json(const json::Value& value) {
  TRY(const int format, json::get<int>(value, "format"));
  if (format != 1) return fail(ErrorCode::Unsupported, "spec format {}, this program reads 1", format);
  ModelSpec spec;
  TRY(spec.name, json::get<std::string>(value, "name"));
  TRY(spec.labels, json::get<std::vector<std::string>>(value, "labels"));
  TRY(const auto aliases, json::get_or<json::Value>(value, "aliases", json::Value::object()));
  for (const auto& [alias, label] : aliases.items()) {
    if (!label.is_string()) return fail(ErrorCode::InvalidArgument, "aliases: '{}' is not text", alias);
    spec.aliases[alias] = label.get<std::string>();
  }
  TRY(const auto preprocess, json::get<json::Value>(value, "preprocess"));
  TRY(spec.preprocess, image::preprocess_from_json(preprocess));
  TRY(spec.temperature, json::get_or<double>(value, "temperature", 1.0));
  TRY(const auto graph, json::get<json::Value>(value, "graph"));
  TRY(spec.graph, graph_from_json(graph));
  TRY_VOID(check(spec));
  return spec;
}

}  // namespace imago::model
