// SPDX-License-Identifier: Apache-2.0
// The model package: a folder with everything a server needs, each file named with its hash in manifest.json. The
// format is docs/formats/package.md.
//
//   model.onnx  weights.safetensors  spec.json  golden/{0..7.jpg|png|...,inputs.npy,logits.npy}  report.json
//   lineage.json  manifest.json
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "image/image.hpp"
#include "json/json.hpp"
#include "model/classifier.hpp"
#include "model/spec.hpp"
#include "model/tensor.hpp"

namespace imago::package {

inline constexpr int kGoldenImages = 8;
/// Largest difference allowed between the stored golden values and what this machine computes.
inline constexpr float kGoldenTolerance = 1e-4F;

/// Images with what preprocess and network made of them where the model was trained.
struct GoldenSet {
  std::vector<std::string> encoded;  ///< kGoldenImages encoded images
  image::ImageBatch inputs;          ///< after preprocess
  model::Logits logits;
};

/// A package read and verified.
struct ModelPackage {
  std::filesystem::path folder;
  model::ModelSpec spec;
  GoldenSet golden;
  json::Value report;   ///< evaluate::to_json(Metrics) under "test", and what else was measured
  json::Value lineage;  ///< run, dataset version, recipe, code version, seed, parent, training seconds
  std::string digest;   ///< sha256 of manifest.json: the identity of the package

  [[nodiscard]] std::filesystem::path onnx_path() const { return folder / "model.onnx"; }
  [[nodiscard]] std::filesystem::path weights_path() const { return folder / "weights.safetensors"; }
};

/// Reads the package and checks every hash. Corrupt naming the file that is missing, extra, altered or broken (a link
/// is), Unsupported when it is of a later format, ResourceExhausted naming a file over its limit (4 GiB for model.onnx
/// and weights.safetensors, 256 MiB for inputs.npy, 64 MiB for others), NotFound when there is no folder.
Result<ModelPackage> open_package(const std::filesystem::path& folder);

/// Writes spec.json and golden/ into `folder`: the encoded images byte for byte, their inputs through
/// `spec.preprocess`, their logits by `classifier`. The first kGoldenImages are taken; fewer are repeated. A golden/
/// that is there is replaced. The trainer adds model.onnx and weights.safetensors. InvalidArgument for a spec that
/// could not be read back.
Result<void> write_spec_and_golden(const std::filesystem::path& folder, const model::ModelSpec& spec,
                                   const std::vector<std::string>& encoded_images, model::Classifier& classifier);

/// Adds report.json, lineage.json and manifest.json to a staged folder: it is now a package, to be published by rename.
/// InvalidArgument naming a file that is missing. Sealing again replaces the three.
Result<void> seal_package(const std::filesystem::path& staged, const json::Value& report, const json::Value& lineage);

/// Replays the golden set: stored images through image::decode_and_resize and normalize must give the stored inputs,
/// and `classifier` on the stored inputs the stored logits, within kGoldenTolerance. Corrupt with the largest
/// difference and where.
Result<void> verify_golden(const ModelPackage& package, model::Classifier& classifier);

}  // namespace imago::package
