// SPDX-License-Identifier: Apache-2.0
// For the tests of this folder's users: a sealed package whose network nobody loads.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/files.hpp"
#include "image/encode.hpp"
#include "package/package.hpp"

namespace imago::package {

/// Answers every image alike.
class SameLogits final : public model::Classifier {
 public:
  explicit SameLogits(int classes) : classes_(classes) {}
  [[nodiscard]] int classes() const override { return classes_; }
  Result<model::Logits> classify(const image::ImageBatch& batch) override {
    const auto count = static_cast<std::size_t>(batch.n) * static_cast<std::size_t>(classes_);
    return model::Logits{.n = batch.n, .classes = classes_, .data = std::vector<float>(count, 0.5F)};
  }

 private:
  int classes_;
};

/// "pets": cat or dog, from 2 x 2 pixels.
inline model::ModelSpec pets_spec() {
  model::ModelSpec spec;
  spec.name = "pets";
  spec.labels = {"cat", "dog"};
  spec.graph.architecture = "test";
  spec.graph.input = {3, 2, 2};
  spec.graph.then("pool", model::GlobalAveragePool{});
  spec.graph.then("linear", model::Linear{.out_features = 2, .bias = true});
  spec.preprocess.width = 2;
  spec.preprocess.height = 2;
  return spec;
}

/// A package in `folder`, which it makes; `weights` tells packages apart.
inline void seal_test_package(const fs::path& folder, const model::ModelSpec& spec, const std::string& weights,
                              const json::Value& report, const json::Value& lineage) {
  ASSERT_TRUE(make_directories(folder).has_value());
  ASSERT_TRUE(write_file(folder / "model.onnx", "onnx").has_value());
  ASSERT_TRUE(write_file(folder / "weights.safetensors", weights).has_value());
  const std::string grey = image::encode_png({2, 2, std::vector<std::uint8_t>(12, 128)}).value();
  SameLogits classifier(static_cast<int>(spec.labels.size()));
  const auto written = write_spec_and_golden(folder, spec, std::vector<std::string>(kGoldenImages, grey), classifier);
  ASSERT_TRUE(written.has_value()) << written.error().message;
  const auto sealed = seal_package(folder, report, lineage);
  ASSERT_TRUE(sealed.has_value()) << sealed.error().message;
}

}  // namespace imago::package
