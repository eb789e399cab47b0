// SPDX-License-Identifier: Apache-2.0
// For this folder's tests: the networks of tests/golden/make_tiny_onnx.py as packages, with their known answers.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/source_dir.hpp"
#include "infer/engine.hpp"

namespace imago::infer {

/// A package of nothing but `tests/golden/NAME.onnx` and what Engine::load reads of the spec.
class TinyPackage {
 public:
  explicit TinyPackage(const std::string& name, int classes)
      : folder_(TemporaryDirectory::create(fs::temp_directory_path(), "infer-test").value()) {
    package_.folder = folder_.path();
    package_.spec.graph.input = {3, 8, 8};
    for (int i = 0; i < classes; ++i) package_.spec.labels.push_back(fmt::format("class {}", i));
    write(read_file(fs::path(source_dir()) / "tests/golden" / (name + ".onnx")).value());
  }
  void write(const std::string& onnx) { EXPECT_TRUE(write_file(package_.onnx_path(), onnx).has_value()); }

  package::ModelPackage& operator*() { return package_; }
  std::unique_ptr<Engine> load(const EngineOptions& options = {}) {
    auto engine = Engine::load(package_, options);
    EXPECT_TRUE(engine.has_value()) << engine.error().message;
    return std::move(engine).value();
  }

 private:
  TemporaryDirectory folder_;
  package::ModelPackage package_;
};

/// The script's input: sin(0.1 * i) over `n` images, counted from image `first`.
inline image::ImageBatch waves(int first, int n) {
  image::ImageBatch batch{.n = n, .channels = 3, .height = 8, .width = 8, .data = {}};
  const auto item = batch.item_size();
  for (std::size_t i = 0; i < static_cast<std::size_t>(n) * item; ++i)
    batch.data.push_back(
        static_cast<float>(std::sin(0.1 * static_cast<double>(i + static_cast<std::size_t>(first) * item))));
  return batch;
}

/// Logits of tiny.onnx on the first five images, by ONNX Runtime 1.31.1.
inline const std::vector<std::vector<float>> kTinyLogits{{2.3432395F, -1.8363351F, 1.6304231F},
                                                         {2.3245373F, -1.8181602F, 1.6302495F},
                                                         {2.3422008F, -1.8387917F, 1.6340135F},
                                                         {2.3150089F, -1.7921232F, 1.6127365F},
                                                         {2.2547750F, -1.7111727F, 1.5888970F}};

}  // namespace imago::infer
