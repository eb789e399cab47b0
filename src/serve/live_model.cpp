// SPDX-License-Identifier: Apache-2.0
#include "serve/live_model.hpp"

#include <malloc.h>

#include <algorithm>
#include <array>

#include "base/log.hpp"

namespace imago::serve {
namespace {

/// `value[key]`, or null where it is not: reports of imported packages hold what their makers put there.
json::Value member(const json::Value& value, std::string_view key) {
  const auto found = value.is_object() ? value.find(key) : value.end();
  return value.is_object() && found != value.end() ? *found : json::Value();
}

}  // namespace

json::Value describe_model(const package::ModelPackage& package, const registry::ModelVersion& version) {
  const model::ModelSpec& spec = package.spec;
  json::Value parameters, macs;
  if (const auto summary = model::summarize(spec.graph)) {
    std::int64_t parameter_count = 0, mac_count = 0;
    for (const auto& node : *summary) {
      parameter_count += node.parameters;
      mac_count += node.macs;
    }
    parameters = parameter_count;
    macs = mac_count;
  }
  return {{"name", version.model.empty() ? spec.name : version.model},
          {"version", version.version},
          {"aliases", version.aliases},
          {"digest", package.digest},
          {"architecture", spec.graph.architecture},
          {"labels", spec.labels},
          {"input", {{"width", spec.preprocess.width}, {"height", spec.preprocess.height}, {"channels", 3}}},
          {"parameters", std::move(parameters)},
          {"macs", std::move(macs)},
          {"created", version.created},
          {"run", version.run},
          {"abstention", version.abstention.empty() ? json::Value() : model::to_json(version.abstention)},
          {"backend", infer::backend_description()},
          {"test", member(package.report, "test")},
          {"lineage", package.lineage}};
}

json::Value describe_training(const package::ModelPackage& package) {
  const json::Value training = member(package.report, "training");
  const json::Value history = member(training, "history");
  json::Value described = json::Value::object();
  for (const std::string_view key : std::array<std::string_view, 4>{"loss", "accuracy", "val_loss", "val_accuracy"}) {
    json::Value& values = described[std::string(key)] = json::Value::array();
    if (!history.is_array()) continue;
    for (const auto& epoch : history) values.push_back(member(epoch, key));
  }
  described["training"] = {{"epochs", history.is_array() ? history.size() : 0},
                           {"outcome", member(training, "outcome")},
                           {"test_accuracy", member(member(package.report, "test"), "accuracy")},
                           {"recipe", member(package.lineage, "recipe")},
                           {"dataset", member(package.lineage, "dataset")}};
  return described;
}

Result<std::shared_ptr<const LiveModel>> LiveModel::load(const package::ModelPackage& package,
                                                         const registry::ModelVersion& version,
                                                         const infer::EngineOptions& engine,
                                                         const infer::BatcherOptions& batching,
                                                         std::shared_ptr<infer::ComputeBudget> budget,
                                                         monitor::ServerMetrics& metrics) {
  const std::string name = version.model.empty() ? package.spec.name : version.model;
  std::shared_ptr<LiveModel> live(new LiveModel());
  TRY_VOID(model::check_abstention(version.abstention, package.spec.classes()));
  infer::EngineOptions compiled = engine;
  if (batching.workers > 0) compiled.streams = std::min(batching.workers, budget->slots());
  TRY(live->engine_, infer::Engine::load(package, compiled));
  if (auto verified = package::verify_golden(package, *live->engine_); !verified) {
    return pass(verified, fmt::format("the self-test of {} version {} failed", name, version.version));
  }
  live->face_ = std::make_shared<const ModelFace>(
      ModelFace{package.spec, package.folder, AnswerWriter(name, version.version, package.spec.labels),
                metrics.model(name, version.version, package.spec.labels), describe_model(package, version),
                describe_training(package), version.abstention, version.abstention_change, batching});
  live->batcher_ = std::make_unique<infer::Batcher>(*live->engine_, batching, std::move(budget));
  ::malloc_trim(0);  // what compiling and the self-test needed, tens of MiB, would stay the process's
  log::info("serving {} version {} ({})", name, version.version, package.digest.substr(0, 12));
  return std::shared_ptr<const LiveModel>(std::move(live));
}

LiveModel::~LiveModel() {
  batcher_.reset();
  if (face_) face_->metrics->set_queue_depth(0);
}

std::size_t LiveModel::publish_queue_depth() const {
  const auto waiting = batcher_->queued();
  face_->metrics->set_queue_depth(waiting);
  return waiting;
}

}  // namespace imago::serve
