// SPDX-License-Identifier: Apache-2.0
// The golden set: what a server has to reproduce before it may answer.
#include <cmath>
#include <limits>

#include "base/files.hpp"
#include "image/preprocess.hpp"
#include "package/npy.hpp"
#include "package/package.hpp"
#include "package/parts.hpp"

namespace imago::package {
namespace {

std::string_view ending(image::Format format) {
  switch (format) {
    case image::Format::Jpeg: return "jpg";
    case image::Format::Png: return "png";
    case image::Format::WebP: return "webp";
    case image::Format::Bmp: return "bmp";
    case image::Format::Gif: return "gif";
  }
  return "";
}

/// One image after the other: an engine keeps the memory of the largest batch that it has seen.
Result<model::Logits> classify(model::Classifier& classifier, const image::ImageBatch& inputs, int classes) {
  model::Logits logits{.n = inputs.n, .classes = classes, .data = {}};
  image::ImageBatch one{1, inputs.channels, inputs.height, inputs.width, {}};
  for (int i = 0; i < inputs.n; ++i) {
    const auto item = inputs.item(i);
    one.data.assign(item.begin(), item.end());
    TRY(const auto answer, classifier.classify(one));
    if (answer.n != 1 || answer.classes != classes || answer.data.size() != static_cast<std::size_t>(classes))
      return fail(ErrorCode::Corrupt, "golden logits: the engine answers [{}, {}] to an image, the package has [1, {}]",
                  answer.n, answer.classes, classes);
    logits.data.insert(logits.data.end(), answer.data.begin(), answer.data.end());
  }
  return logits;
}

struct Difference {
  float size = 0;
  std::size_t at = 0;
};

/// Of equally long rows; a value that is not a number differs infinitely.
Difference largest_difference(const std::vector<float>& stored, const std::vector<float>& here) {
  Difference largest;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    float size = std::abs(stored[i] - here[i]);
    if (std::isnan(size)) size = std::numeric_limits<float>::infinity();
    if (size > largest.size) largest = {size, i};
  }
  return largest;
}

Result<void> compare_inputs(const image::ImageBatch& stored, const image::ImageBatch& here) {
  if (stored.data.size() != here.data.size())
    return fail(ErrorCode::Corrupt, "golden inputs: {} values stored, {} here", stored.data.size(), here.data.size());
  const auto [size, at] = largest_difference(stored.data, here.data);
  if (size <= kGoldenTolerance) return {};
  const auto width = static_cast<std::size_t>(stored.width);
  const auto plane = width * static_cast<std::size_t>(stored.height);
  const std::size_t inside = at % stored.item_size();
  return fail(ErrorCode::Corrupt,
              "golden inputs differ by up to {:.3g} (at most {:g}): image {}, channel {}, row {}, column {} is {} here "
              "and {} in the package; this program prepares images in another way than where the model was trained",
              size, kGoldenTolerance, at / stored.item_size(), inside / plane, inside % plane / width, inside % width,
              here.data[at], stored.data[at]);
}

Result<void> compare_logits(const model::Logits& stored, const model::Logits& here,
                            const std::vector<std::string>& labels) {
  const auto [size, at] = largest_difference(stored.data, here.data);
  if (size <= kGoldenTolerance) return {};
  return fail(ErrorCode::Corrupt,
              "golden logits differ by up to {:.3g} (at most {:g}): image {}, class '{}' is {} here and {} in the "
              "package; the engine does not compute this model",
              size, kGoldenTolerance, at / labels.size(), labels[at % labels.size()], here.data[at], stored.data[at]);
}

Result<void> write_images(const fs::path& golden, const std::vector<std::string>& encoded) {
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    TRY(const auto probe, image::probe(as_bytes(encoded[i])));
    TRY_VOID(write_file(golden / fmt::format("{}.{}", i, ending(probe.format)), encoded[i]));
  }
  return {};
}

}  // namespace

Result<image::ImageBatch> make_inputs(const std::vector<std::string>& encoded, const image::Preprocess& preprocess) {
  image::ImageBatch batch{static_cast<int>(encoded.size()), 3, preprocess.height, preprocess.width, {}};
  batch.data.resize(encoded.size() * batch.item_size());
  for (int i = 0; i < batch.n; ++i) {
    auto image = image::decode_and_resize(as_bytes(encoded[static_cast<std::size_t>(i)]), preprocess);
    if (!image) return pass(image, fmt::format("golden image {}", i));
    image::normalize(image->rgb, preprocess, batch.item(i));
  }
  return batch;
}

std::string encode_inputs(const image::ImageBatch& inputs) {
  return encode_npy({{inputs.n, inputs.channels, inputs.height, inputs.width}, inputs.data});
}

Result<void> write_spec_and_golden(const fs::path& folder, const model::ModelSpec& spec,
                                   const std::vector<std::string>& encoded_images, model::Classifier& classifier) {
  if (encoded_images.empty()) return fail(ErrorCode::InvalidArgument, "a package needs a golden image at least");
  const json::Value spec_json = model::to_json(spec);
  TRY(const auto written, model::spec_from_json(spec_json));  // refuses here what a server would refuse later
  std::vector<std::string> encoded;
  for (std::size_t i = 0; i < kGoldenImages; ++i) encoded.push_back(encoded_images[i % encoded_images.size()]);
  TRY(const auto inputs, make_inputs(encoded, written.preprocess));
  TRY(const auto logits, classify(classifier, inputs, written.classes()));

  const fs::path golden = folder / "golden";
  std::error_code ignored;
  fs::remove_all(golden, ignored);  // of an attempt before: its images may have other endings
  TRY_VOID(make_directories(golden));
  TRY_VOID(write_file(folder / "spec.json", json::dump_pretty(spec_json) + "\n"));
  TRY_VOID(write_images(golden, encoded));
  TRY_VOID(write_file(golden / "inputs.npy", encode_inputs(inputs)));
  return write_file(golden / "logits.npy", encode_npy({{logits.n, logits.classes}, logits.data}));
}

Result<void> verify_golden(const ModelPackage& package, model::Classifier& classifier) {
  const auto& golden = package.golden;
  TRY(const auto inputs, make_inputs(golden.encoded, package.spec.preprocess));
  TRY_VOID(compare_inputs(golden.inputs, inputs));
  // On the stored inputs, so that the network is judged alone.
  TRY(const auto logits, classify(classifier, golden.inputs, package.spec.classes()));
  return compare_logits(golden.logits, logits, package.spec.labels);
}

}  // namespace imago::package
