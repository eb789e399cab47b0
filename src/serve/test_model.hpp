// SPDX-License-Identifier: Apache-2.0
// For this folder's tests: tests/golden/tiny.onnx (conv, ReLU, pool, linear on 8 x 8) as a model with golden images,
// and bitmaps to send to it.
#pragma once

#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/source_dir.hpp"
#include "image/decode.hpp"
#include "infer/engine.hpp"
#include "package/package.hpp"

namespace imago::serve {

/// An image whose pixels depend on `seed`.
inline image::Image sample_image(int side, int seed) {
  image::Image image{side, side, {}};
  for (std::size_t i = 0; i < image.pixels() * 3; ++i) {
    image.rgb.push_back(static_cast<std::uint8_t>(i * i * static_cast<std::size_t>(seed + 3) + i * 7));
  }
  return image;
}

/// A 24-bit BMP, rows from the bottom, padded to 4 bytes.
inline std::string encode_bmp(const image::Image& image) {
  const auto put32 = [](std::string& out, std::size_t value) {
    for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift);
  };
  const auto side = static_cast<std::size_t>(image.width);
  const std::size_t stride = (side * 3 + 3) / 4 * 4;
  std::string bmp = "BM";
  put32(bmp, 54 + stride * static_cast<std::size_t>(image.height));
  for (const std::size_t value :
       {std::size_t{0}, std::size_t{54}, std::size_t{40}, side, static_cast<std::size_t>(image.height)}) {
    put32(bmp, value);
  }
  put32(bmp, 1 | 24 << 16);
  bmp.append(24, '\0');
  for (int row = image.height - 1; row >= 0; --row) {
    const std::size_t start = bmp.size();
    for (std::size_t x = 0; x < side; ++x) {
      const std::uint8_t* pixel = &image.rgb[(static_cast<std::size_t>(row) * side + x) * 3];
      for (int c = 2; c >= 0; --c) bmp += static_cast<char>(pixel[c]);
    }
    bmp.append(stride - (bmp.size() - start), '\0');
  }
  return bmp;
}

class TestModel {
 public:
  TestModel() : folder_(TemporaryDirectory::create(fs::temp_directory_path(), "serve-test").value()) {
    package_.folder = folder_.path();
    package_.digest = std::string(64, 'd');
    const auto onnx = read_file(fs::path(source_dir()) / "tests/golden/tiny.onnx").value();
    EXPECTS(write_file(package_.onnx_path(), onnx).has_value(), "the temporary folder can be written");
    describe();
    engine_ = infer::Engine::load(package_, {.threads = 1}).value();
    make_golden();
  }

  package::ModelPackage& package() { return package_; }

  /// What the model makes of `image`, by the engine alone.
  std::vector<double> probabilities(const image::Image& image) {
    const auto resized = image::resize(image, package_.spec.preprocess).value();
    image::ImageBatch batch{.n = 1, .channels = 3, .height = 8, .width = 8, .data = std::vector<float>(192)};
    image::normalize(resized.rgb, package_.spec.preprocess, batch.data);
    return model::softmax(engine_->classify(batch).value().row(0));
  }

 private:
  void describe() {
    auto& spec = package_.spec;
    spec.name = "tiny";
    spec.labels = {"cat", "dog", "frog"};
    spec.preprocess = {.width = 8, .height = 8, .mean = {0.5F, 0.5F, 0.5F}, .stddev = {0.25F, 0.25F, 0.25F}};
    spec.graph = {.architecture = "tiny-cnn", .input = {3, 8, 8}, .nodes = {}};
    spec.graph.then("conv", model::Conv2d{.out_channels = 4, .padding = model::Padding::same(3)});
    spec.graph.then("relu", model::Activate{});
    spec.graph.then("pool", model::GlobalAveragePool{});
    spec.graph.then("linear", model::Linear{3});
    package_.report = {{"test", {{"accuracy", 0.5}, {"n", 4}}},
                       {"training",
                        {{"history",
                          {{{"loss", 1.5}, {"accuracy", 0.25}, {"val_loss", 1.25}, {"val_accuracy", 0.375}},
                           {{"loss", 1.0}, {"accuracy", 0.5}, {"val_loss", 0.75}, {"val_accuracy", 0.625}}}}}}};
    package_.lineage = {{"run", "r1"}};
  }

  void make_golden() {
    auto& golden = package_.golden;
    golden.inputs = {.n = package::kGoldenImages,
                     .channels = 3,
                     .height = 8,
                     .width = 8,
                     .data = std::vector<float>(192 * package::kGoldenImages)};
    for (int i = 0; i < package::kGoldenImages; ++i) {
      const auto image = sample_image(8, i);
      golden.encoded.push_back(encode_bmp(image));
      image::normalize(image.rgb, package_.spec.preprocess, golden.inputs.item(i));
    }
    golden.logits = engine_->classify(golden.inputs).value();
  }

  TemporaryDirectory folder_;
  package::ModelPackage package_;
  std::unique_ptr<infer::Engine> engine_;
};

}  // namespace imago::serve
