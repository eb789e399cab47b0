// SPDX-License-Identifier: Apache-2.0
#include "package/package.hpp"

#include <gmock/gmock.h>

#include <optional>

#include "base/files.hpp"
#include "base/source_dir.hpp"
#include "image/encode.hpp"
#include "package/npy.hpp"

namespace imago::package {
namespace {

using testing::HasSubstr;

/// Logits that depend on every input value. `error` makes it another network for image 5, class "dog".
class TinyClassifier final : public model::Classifier {
 public:
  explicit TinyClassifier(float error = 0) : error_(error) {}
  [[nodiscard]] int classes() const override { return 3; }
  Result<model::Logits> classify(const image::ImageBatch& batch) override {
    model::Logits logits{batch.n, 3, {}};
    for (int i = 0; i < batch.n; ++i) {
      float sum = 0;
      for (const float value : batch.item(i)) sum += value;
      logits.data.insert(logits.data.end(), {sum, -sum + (seen_++ == 5 ? error_ : 0.0F), 0.5F});
    }
    return logits;
  }

 private:
  float error_;
  int seen_ = 0;  // images so far; the sixth is the one that it gets wrong
};

model::ModelSpec make_spec() {
  model::ModelSpec spec;
  spec.name = "pets";
  spec.labels = {"cat", "dog", "fox"};
  spec.aliases = {{"puppy", "dog"}};
  spec.preprocess = {.width = 6, .height = 4, .mean = {0.4914F, 0.4822F, 0.4465F}, .stddev = {0.25F, 0.2F, 0.3F}};
  spec.temperature = 1.25;
  spec.graph.architecture = "tiny";
  spec.graph.input = {3, 4, 6};
  spec.graph.then("flatten", model::Flatten{});
  spec.graph.then("head", model::Linear{.out_features = 3});
  return spec;
}

/// Noise of 12 x 9, so that it has to be resized; even ones JPEG, odd ones PNG.
std::string picture(int i) {
  image::Image image{12, 9, {}};
  for (std::size_t at = 0; at < image.pixels() * 3; ++at)
    image.rgb.push_back(static_cast<std::uint8_t>((at * 37 + static_cast<std::size_t>(i) * 91) % 256));
  return (i % 2 == 0 ? image::encode_jpeg(image) : image::encode_png(image)).value();
}

std::vector<std::string> pictures(int count) {
  std::vector<std::string> encoded;
  for (int i = 0; i < count; ++i) encoded.push_back(picture(i));
  return encoded;
}

class PackageTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = TemporaryDirectory::create(fs::temp_directory_path(), "package-test");
    ASSERT_TRUE(made) << made.error().message;
    folder_.emplace(std::move(*made));
  }
  [[nodiscard]] fs::path path(const std::string& name = "") const { return folder_->path() / name; }

  /// A package as the trainer and the pipeline make one.
  void make(int images = kGoldenImages) {
    TinyClassifier classifier;
    const auto written = write_spec_and_golden(path(), make_spec(), pictures(images), classifier);
    ASSERT_TRUE(written) << written.error().message;
    ASSERT_TRUE(write_file(path("model.onnx"), "onnx"));
    ASSERT_TRUE(write_file(path("weights.safetensors"), "weights"));
    const auto sealed = seal_package(path(), {{"test", {{"accuracy", 0.5}}}}, {{"run", "20261121-1"}});
    ASSERT_TRUE(sealed) << sealed.error().message;
  }
  [[nodiscard]] Error refusal() const {
    auto package = open_package(path());
    EXPECT_FALSE(package);
    return package ? Error{} : package.error();
  }
  void expect_corrupt(const std::string& what) const {
    const auto error = refusal();
    EXPECT_EQ(error.code, ErrorCode::Corrupt) << error.message;
    EXPECT_THAT(error.message, HasSubstr(what));
  }
  /// Changes a file and its record in the manifest with it: a package that was made wrong, not one that was altered.
  void remake(const std::string& name, const std::string& content) {
    ASSERT_TRUE(write_file(path(name), content));
    auto manifest = json::read(path("manifest.json")).value();
    manifest["files"][name] = {{"sha256", sha256(content)}, {"bytes", content.size()}};
    ASSERT_TRUE(write_file(path("manifest.json"), json::dump(manifest)));
  }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(path()))
      if (entry.is_regular_file()) names.push_back(fs::relative(entry.path(), path()).string());
    return names;
  }
  std::optional<TemporaryDirectory> folder_;
};

TEST_F(PackageTest, ComesBackAsItWasMade) {
  make();
  const auto package = open_package(path());
  ASSERT_TRUE(package) << package.error().message;
  EXPECT_EQ(json::dump(model::to_json(package->spec)), json::dump(model::to_json(make_spec())));
  EXPECT_EQ(package->spec.preprocess, make_spec().preprocess) << "floats survive JSON to the bit";
  EXPECT_EQ(package->golden.encoded, pictures(kGoldenImages)) << "byte for byte";
  EXPECT_EQ(package->golden.inputs.data.size(), 8U * 3 * 4 * 6);
  EXPECT_EQ(package->report["test"]["accuracy"], 0.5);
  EXPECT_EQ(package->lineage["run"], "20261121-1");
  EXPECT_EQ(package->digest, sha256_file(path("manifest.json")).value());
  EXPECT_EQ(read_file(package->onnx_path()).value(), "onnx");
  EXPECT_TRUE(fs::exists(path("golden/0.jpg")) && fs::exists(path("golden/1.png")));
}

TEST_F(PackageTest, RepeatsGoldenImagesWhereThereAreFewer) {
  make(3);
  const auto package = open_package(path()).value();
  for (int i = 0; i < kGoldenImages; ++i)
    EXPECT_EQ(package.golden.encoded[static_cast<std::size_t>(i)], picture(i % 3));
  TinyClassifier classifier;
  EXPECT_TRUE(verify_golden(package, classifier));
}

TEST_F(PackageTest, MadeAgainInTheSameFolderLeavesNothingOfTheFirst) {
  make(2);
  make(1);
  const auto package = open_package(path());
  ASSERT_TRUE(package) << package.error().message;
  EXPECT_FALSE(fs::exists(path("golden/1.png")));
}

TEST_F(PackageTest, TheSameContentHasTheSameDigest) {
  make();
  const auto first = open_package(path()).value().digest;
  make();
  EXPECT_EQ(open_package(path()).value().digest, first);
}

TEST_F(PackageTest, OneFlippedBitInAnyFileIsRefusedWithItsName) {
  make();
  for (const auto& name : files()) {
    if (name == "manifest.json") continue;
    const auto whole = read_file(path(name)).value();
    for (const std::size_t at : {std::size_t{0}, whole.size() / 2, whole.size() - 1}) {
      auto altered = whole;
      altered[at] = static_cast<char>(altered[at] ^ 1);
      ASSERT_TRUE(write_file(path(name), altered));
      expect_corrupt("'" + name + "' has been altered");
    }
    ASSERT_TRUE(write_file(path(name), whole + "x"));
    expect_corrupt("'" + name + "' has been altered");
    ASSERT_TRUE(write_file(path(name), whole));
  }
  EXPECT_TRUE(open_package(path()));
}

TEST_F(PackageTest, AFlippedBitInTheManifestMakesAnotherPackageOrNone) {
  make();
  const auto whole = read_file(path("manifest.json")).value();
  const auto digest = open_package(path()).value().digest;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto altered = whole;
    altered[at] = static_cast<char>(altered[at] ^ 1);
    ASSERT_TRUE(write_file(path("manifest.json"), altered));
    const auto package = open_package(path());
    EXPECT_TRUE(!package || package->digest != digest) << at;
  }
}

TEST_F(PackageTest, AMissingFileIsNamed) {
  make();
  for (const auto& name : files()) {
    const auto whole = read_file(path(name)).value();
    fs::remove(path(name));
    expect_corrupt("'" + name + "' is missing");
    ASSERT_TRUE(write_file(path(name), whole));
  }
}

TEST_F(PackageTest, AFileThatEveryPackageHasMustBeInTheManifestToo) {
  make();
  auto manifest = json::read(path("manifest.json")).value();
  manifest["files"].erase("model.onnx");
  ASSERT_TRUE(write_file(path("manifest.json"), json::dump(manifest)));
  fs::remove(path("model.onnx"));
  expect_corrupt("'model.onnx' is missing");
}

TEST_F(PackageTest, AnExtraFileIsNamed) {
  make();
  ASSERT_TRUE(write_file(path("golden/notes.txt"), "hello"));
  expect_corrupt("'golden/notes.txt' is not in the manifest");
}

TEST_F(PackageTest, AFileOfALaterWriterIsFineWhenTheManifestHasIt) {
  make();
  remake("calibration.json", "{}");
  EXPECT_TRUE(open_package(path()));
}

TEST_F(PackageTest, LinksAndOtherFoldersAreRefused) {
  make();
  fs::create_directory(path("more"));
  expect_corrupt("'more'");
  fs::remove(path("more"));
  const auto weights = read_file(path("weights.safetensors")).value();
  const auto outside = fs::path(path().string() + "-outside");
  ASSERT_TRUE(write_file(outside, weights));
  fs::remove(path("weights.safetensors"));
  fs::create_symlink(outside, path("weights.safetensors"));
  expect_corrupt("'weights.safetensors' is not a plain file");
  fs::remove(path("weights.safetensors"));
  ASSERT_TRUE(write_file(path("weights.safetensors"), weights));
  fs::rename(path("golden"), outside.string() + "-golden");
  fs::create_directory_symlink(outside.string() + "-golden", path("golden"));
  expect_corrupt("'golden' is not a plain file");
  fs::remove(outside);
  fs::remove_all(outside.string() + "-golden");
}

TEST_F(PackageTest, NamesInTheManifestCannotLeadOutOfThePackage) {
  make();
  auto manifest = json::read(path("manifest.json")).value();
  manifest["files"]["../../etc/passwd"] = {{"sha256", sha256("x")}, {"bytes", 1}};
  ASSERT_TRUE(write_file(path("manifest.json"), json::dump(manifest)));
  expect_corrupt("'../../etc/passwd' is missing");
}

TEST_F(PackageTest, AFileOverItsLimitIsRefusedBeforeItIsRead) {
  make();
  fs::resize_file(path("report.json"), (std::uint64_t{64} << 20) + 1);  // a hole: takes no disk
  const auto error = refusal();
  EXPECT_EQ(error.code, ErrorCode::ResourceExhausted);
  EXPECT_THAT(error.message, HasSubstr("'report.json'"));
}

TEST_F(PackageTest, BrokenManifestsAndLaterFormatsAreToldApart) {
  make();
  for (const std::string text :
       {"", "{", "[]", "{}", R"({"format":1})", R"({"format":1,"files":[]})",
        R"({"format":1,"files":{"model.onnx":{"bytes":4}}})", R"({"format":"1","files":{}})"}) {
    ASSERT_TRUE(write_file(path("manifest.json"), text));
    EXPECT_EQ(refusal().code, ErrorCode::Corrupt) << text;
  }
  ASSERT_TRUE(write_file(path("manifest.json"), R"({"format":2,"files":{}})"));
  EXPECT_EQ(refusal().code, ErrorCode::Unsupported);
  EXPECT_EQ(open_package(path("nowhere")).error().code, ErrorCode::NotFound);
}

TEST_F(PackageTest, ArraysThatDoNotFitTheSpecAreRefused) {
  make();
  const auto logits = read_file(path("golden/logits.npy")).value();
  remake("golden/logits.npy", encode_npy({{8, 2}, std::vector<float>(16)}));
  expect_corrupt("golden/logits.npy: shape [8, 2], but spec.json needs [8, 3]");
  std::vector<float> values(24);
  values[7] = std::numeric_limits<float>::quiet_NaN();
  remake("golden/logits.npy", encode_npy({{8, 3}, values}));
  expect_corrupt("not finite");
  remake("golden/logits.npy", logits);
  EXPECT_TRUE(open_package(path()));
  remake("spec.json", "{\"format\":1}");
  expect_corrupt("spec.json");
}

TEST_F(PackageTest, SealingNamesWhatIsMissingAndLeavesNoManifest) {
  make();
  fs::remove(path("manifest.json"));
  fs::remove(path("model.onnx"));
  const auto sealed = seal_package(path(), json::Value::object(), json::Value::object());
  ASSERT_FALSE(sealed);
  EXPECT_THAT(sealed.error().message, HasSubstr("'model.onnx' is missing"));
  EXPECT_FALSE(fs::exists(path("manifest.json")));
}

TEST_F(PackageTest, WritingRefusesASpecThatNoServerWouldRead) {
  TinyClassifier classifier;
  auto spec = make_spec();
  spec.labels.pop_back();
  EXPECT_EQ(write_spec_and_golden(path(), spec, pictures(8), classifier).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(write_spec_and_golden(path(), make_spec(), {}, classifier).error().code, ErrorCode::InvalidArgument);
  const auto error = write_spec_and_golden(path(), make_spec(), {picture(0), "no image"}, classifier).error();
  EXPECT_THAT(error.message, HasSubstr("golden image 1"));
  EXPECT_TRUE(fs::is_empty(path()));
}

TEST_F(PackageTest, TheSameEngineReproducesTheGoldenSet) {
  make();
  TinyClassifier classifier;
  const auto verified = verify_golden(open_package(path()).value(), classifier);
  EXPECT_TRUE(verified) << verified.error().message;
}

TEST_F(PackageTest, AnotherEngineIsRefusedNamingTheImageTheClassAndTheDifference) {
  make();
  const auto package = open_package(path()).value();
  TinyClassifier close(0.5F * kGoldenTolerance);
  EXPECT_TRUE(verify_golden(package, close));
  TinyClassifier wrong(0.25F);
  const auto verified = verify_golden(package, wrong);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ErrorCode::Corrupt);
  EXPECT_THAT(verified.error().message, HasSubstr("golden logits differ by up to 0.25"));
  EXPECT_THAT(verified.error().message, HasSubstr("image 5, class 'dog'"));
  TinyClassifier broken(std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(verify_golden(package, broken).error().code, ErrorCode::Corrupt);
}

TEST_F(PackageTest, OtherPreprocessingIsRefusedNamingTheValue) {
  make();
  auto package = open_package(path()).value();
  TinyClassifier classifier;
  // Image 2, channel 1, row 3, column 4 of [8, 3, 4, 6].
  package.golden.inputs.data[((2 * 3 + 1) * 4 + 3) * 6 + 4] += 0.01F;
  const auto verified = verify_golden(package, classifier);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ErrorCode::Corrupt);
  EXPECT_THAT(verified.error().message, HasSubstr("golden inputs differ by up to 0.01"));
  EXPECT_THAT(verified.error().message, HasSubstr("image 2, channel 1, row 3, column 4"));
}

TEST(PackageDocument, ItsWorkedExampleIsASpecThatWeRead) {
  const auto text = read_file(fs::path(source_dir()) / "docs/formats/package.md").value();
  const std::string fence = "```json\n";
  const auto begin = text.find(fence, text.find("## Worked example")) + fence.size();
  const auto value = json::parse(text.substr(begin, text.find("```", begin) - begin));
  ASSERT_TRUE(value) << value.error().message;
  const auto spec = model::spec_from_json(*value);
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(json::dump(model::to_json(*spec)), json::dump(*value)) << "every member is shown, none is stale";
}

}  // namespace
}  // namespace imago::package
