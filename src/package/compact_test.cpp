// SPDX-License-Identifier: Apache-2.0
#include "package/compact.hpp"

#include <gmock/gmock.h>

#include "base/files.hpp"
#include "image/encode.hpp"
#include "model/safetensors.hpp"
#include "package/manifest.hpp"

namespace imago::package {
namespace {

using testing::HasSubstr;

/// Its one weight times the sum of the image, and the negative of that.
class Scale final : public model::Classifier {
 public:
  explicit Scale(float factor) : factor_(factor) {}
  [[nodiscard]] int classes() const override { return 2; }
  Result<model::Logits> classify(const image::ImageBatch& batch) override {
    model::Logits logits{batch.n, 2, {}};
    for (int i = 0; i < batch.n; ++i) {
      float sum = 0;
      for (const float value : batch.item(i)) sum += value;
      logits.data.insert(logits.data.end(), {factor_ * sum, -factor_ * sum});
    }
    return logits;
  }

 private:
  float factor_;
};

/// A "network" that is its weights as text.
Result<void> write_network(const fs::path& folder) {
  TRY(const auto weights, model::read_safetensors(folder / "weights.safetensors"));
  return write_file(folder / "model.onnx", fmt::format("{}", weights.at("scale").data.at(0)));
}
Result<std::unique_ptr<model::Classifier>> load_network(const ModelPackage& package) {
  TRY(const auto text, read_file(package.onnx_path()));
  return std::make_unique<Scale>(std::stof(text));
}

std::string picture(int i) {
  image::Image image{9, 7, {}};
  for (std::size_t at = 0; at < image.pixels() * 3; ++at)
    image.rgb.push_back(static_cast<std::uint8_t>((at * 37 + static_cast<std::size_t>(i) * 91) % 256));
  return (i % 2 == 0 ? image::encode_jpeg(image) : image::encode_png(image)).value();
}

class CompactTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(make_directories(whole()) && make_directories(compact()));
    model::ModelSpec spec;
    spec.name = "pets";
    spec.labels = {"cat", "dog"};
    spec.preprocess = {.width = 6, .height = 4};
    spec.graph.input = {3, 4, 6};
    spec.graph.then("flatten", model::Flatten{});
    spec.graph.then("head", model::Linear{.out_features = 2});
    std::vector<std::string> encoded;
    for (int i = 0; i < kGoldenImages; ++i) encoded.push_back(picture(i));
    ASSERT_TRUE(write_file(whole() / "weights.safetensors",
                           model::encode_safetensors({{"scale", {{1}, {0.1F}}}}, {{"format", "pt"}})));
    ASSERT_TRUE(write_network(whole()));
    Scale exact(0.1F);
    ASSERT_TRUE(write_spec_and_golden(whole(), spec, encoded, exact));
    ASSERT_TRUE(seal_package(whole(), {{"test", {{"accuracy", 0.75}}}}, {{"run", "20261121-1"}}));
  }
  [[nodiscard]] fs::path whole() const { return folder_.path() / "whole"; }
  [[nodiscard]] fs::path compact() const { return folder_.path() / "compact"; }

  void make_compact() {
    const auto made = write_compact(open_package(whole()).value(), compact(), write_network, load_network);
    ASSERT_TRUE(made) << made.error().message;
  }
  /// Changes a file and its record in the manifest with it.
  void remake(const std::string& name, const std::string& content) {
    ASSERT_TRUE(write_file(compact() / name, content));
    auto manifest = json::read(compact() / "manifest.json").value();
    manifest["files"][name] = {{"sha256", sha256(content)}, {"bytes", content.size()}};
    ASSERT_TRUE(write_file(compact() / "manifest.json", json::dump(manifest)));
  }
  /// What it had written by then is taken away again.
  void expect_refused(ErrorCode code, const std::string& what) {
    const auto done = expand_compact(compact(), write_network);
    fs::remove(compact() / "golden" / "inputs.npy");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, code) << done.error().message;
    EXPECT_THAT(done.error().message, HasSubstr(what));
  }

 private:
  TemporaryDirectory folder_ = TemporaryDirectory::create(fs::temp_directory_path(), "compact-test").value();
};

TEST_F(CompactTest, ItHasWhatTheRestFollowsFrom) {
  make_compact();
  EXPECT_TRUE(is_compact(compact()));
  EXPECT_FALSE(is_compact(whole()));
  for (const auto* gone : {"model.onnx", "golden/inputs.npy"}) EXPECT_FALSE(fs::exists(compact() / gone)) << gone;
  const auto manifest = json::read(compact() / "manifest.json").value();
  EXPECT_EQ(manifest["form"], "compact");
  EXPECT_EQ(manifest["files"].size(), 5U + kGoldenImages);
  EXPECT_EQ(json::read(compact() / "report.json").value()["stored"], "float16");
  EXPECT_EQ(read_file(compact() / "golden/3.png").value(), picture(3)) << "byte for byte";
  EXPECT_THAT(open_package(compact()).error().message, HasSubstr("imago models import"));
}

TEST_F(CompactTest, ExpandedItIsThePackageWithRoundedWeights) {
  make_compact();
  const auto expanded = expand_compact(compact(), write_network);
  ASSERT_TRUE(expanded) << expanded.error().message;
  EXPECT_FALSE(is_compact(compact()));
  const auto package = open_package(compact());
  ASSERT_TRUE(package) << package.error().message;
  const auto before = open_package(whole()).value();
  model::Metadata metadata;
  const auto weights = model::read_safetensors(package->weights_path(), &metadata).value();
  EXPECT_EQ(weights.at("scale").data[0], 0.0999755859375F) << "0.1 by numpy.float16";
  EXPECT_EQ(metadata.at("format"), "pt");
  EXPECT_EQ(package->golden.inputs.data, before.golden.inputs.data);
  EXPECT_EQ(package->golden.encoded, before.golden.encoded);
  EXPECT_EQ(json::dump(model::to_json(package->spec)), json::dump(model::to_json(before.spec)));
  EXPECT_EQ(package->report["test"], before.report["test"]);
  EXPECT_EQ(package->report["stored"], "float16");
  EXPECT_EQ(package->lineage, before.lineage);
  const auto network = load_network(*package).value();
  EXPECT_TRUE(verify_golden(*package, *network));
  EXPECT_NE(package->golden.logits.data, before.golden.logits.data) << "those of the rounded weights";
}

TEST_F(CompactTest, TheSamePackageGivesTheSameBytesAndTheseTheSameDigest) {
  make_compact();
  const auto first = read_file(compact() / "manifest.json").value();
  ASSERT_TRUE(expand_compact(compact(), write_network));
  const auto package = open_package(compact()).value();
  // Its own compact form is the one that it came of: its weights are halves already.
  fs::rename(compact(), whole() / "..expanded");
  ASSERT_TRUE(make_directories(compact()));
  const auto expanded = open_package(whole() / "..expanded").value();
  ASSERT_TRUE(write_compact(expanded, compact(), write_network, load_network));
  EXPECT_EQ(read_file(compact() / "manifest.json").value(), first);
  ASSERT_TRUE(expand_compact(compact(), write_network));
  EXPECT_EQ(open_package(compact()).value().digest, package.digest);
}

TEST_F(CompactTest, OneFlippedBitInAnyFileIsRefusedWithItsName) {
  make_compact();
  const auto found = list_files(compact()).value();
  for (const auto& [name, bytes] : found) {
    const auto sound = read_file(compact() / name).value();
    auto altered = sound;
    altered[bytes / 2] = static_cast<char>(altered[bytes / 2] ^ 1);
    ASSERT_TRUE(write_file(compact() / name, altered));
    expect_refused(ErrorCode::Corrupt, "'" + name + "' has been altered");
    fs::remove(compact() / name);
    expect_refused(ErrorCode::Corrupt, "'" + name + "' is missing");
    ASSERT_TRUE(write_file(compact() / name, sound));
  }
  EXPECT_TRUE(expand_compact(compact(), write_network));
}

TEST_F(CompactTest, WhatIsMadeWrongIsRefused) {
  make_compact();
  remake("model.onnx", "a network that nobody checked");
  expect_refused(ErrorCode::Corrupt, "'model.onnx' has no place in a compact package");
  fs::remove_all(compact());
  ASSERT_TRUE(make_directories(compact()));
  make_compact();
  const auto weights = read_file(compact() / "weights.safetensors").value();
  remake("weights.safetensors", weights.substr(0, weights.size() - 1));
  expect_refused(ErrorCode::Corrupt, "weights.safetensors");
  remake("weights.safetensors", weights);
  remake("golden/0.jpg", "no image");
  expect_refused(ErrorCode::Unsupported, "golden image 0");
  remake("golden/0.jpg", picture(0));
  remake("spec.json", "{}");
  expect_refused(ErrorCode::Corrupt, "spec.json");
  EXPECT_EQ(expand_compact(whole(), write_network).error().code, ErrorCode::InvalidArgument);
}

TEST_F(CompactTest, InputsBeyondTheLimitAreRefusedBeforeTheyAreMade) {
  make_compact();
  auto spec = json::read(compact() / "spec.json").value();
  spec["preprocess"]["width"] = spec["preprocess"]["height"] = 4096;
  spec["graph"]["input"]["width"] = spec["graph"]["input"]["height"] = 4096;
  remake("spec.json", json::dump(spec));
  expect_refused(ErrorCode::ResourceExhausted, "4096 x 4096");
}

TEST_F(CompactTest, AFormOfALaterProgramIsToldApart) {
  make_compact();
  auto manifest = json::read(compact() / "manifest.json").value();
  manifest["form"] = "thin";
  ASSERT_TRUE(write_file(compact() / "manifest.json", json::dump(manifest)));
  EXPECT_FALSE(is_compact(compact()));
  EXPECT_EQ(open_package(compact()).error().code, ErrorCode::Unsupported);
  EXPECT_THAT(open_package(compact()).error().message, HasSubstr("form \"thin\""));
}

}  // namespace
}  // namespace imago::package
