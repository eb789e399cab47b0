// SPDX-License-Identifier: Apache-2.0
// The ONNX file of a specification and weights: the job and event are in docs/formats/trainer.md.
#include "app/trainer_job.hpp"
#include "base/files.hpp"
#include "model/safetensors.hpp"
#include "model/spec.hpp"
#include "onnx/onnx_writer.hpp"

namespace imago::app {

Result<void> write_network(const json::Value& job) {
  TRY(const fs::path folder, json::get<std::string>(job, "folder"));
  TRY(const auto value, json::read(folder / "spec.json"));
  auto spec = model::spec_from_json(value);
  if (!spec) return pass(spec, "spec.json");
  TRY(const auto weights, model::read_safetensors(folder / "weights.safetensors"));
  TRY(const auto network, onnx::encode_onnx(spec->graph, weights, spec->name));
  TRY_VOID(write_file(folder / "model.onnx", network));
  emit({{"event", "network"}, {"bytes", network.size()}});
  return {};
}

}  // namespace imago::app
