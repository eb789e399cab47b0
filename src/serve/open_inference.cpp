// SPDX-License-Identifier: Apache-2.0
#include "serve/open_inference.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <mutex>
#include <numeric>

#include "serve/prepare.hpp"

namespace imago::serve {
namespace {

using monitor::Outcome;
using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr std::string_view kImage = "image", kPixels = "pixels", kInput = "input";
constexpr std::string_view kProbabilities = "probabilities", kLabel = "label", kDoubt = "doubt";
constexpr std::int64_t kMostSide = 4096;  // of raw pixels, as in JSON images

/// The input that the data's type belongs to, in the order of the variant.
constexpr std::array<std::string_view, 3> kNameOfType{kInput, kPixels, kImage};

Result<void> check_shape(const InferInput& input, const model::ModelSpec& spec) {
  const TensorShape& shape = input.shape;
  const auto& preprocess = spec.preprocess;
  if (input.name == kImage) {
    if (shape.size() == 1 || (shape.size() == 2 && shape[1] == 1)) return {};
    return fail(ErrorCode::InvalidArgument, "input 'image' has shape {}, expected [n] or [n, 1]", to_string(shape));
  }
  if (input.name == kPixels) {
    const auto is_side = [](std::int64_t side) { return side >= 1 && side <= kMostSide; };
    if (shape.size() == 4 && shape[3] == 3 && is_side(shape[1]) && is_side(shape[2])) return {};
    return fail(ErrorCode::InvalidArgument,
                "input 'pixels' has shape {}, expected [n, height, width, 3], sides 1 to {}", to_string(shape),
                kMostSide);
  }
  if (shape.size() == 4 && shape[1] == 3 && shape[2] == preprocess.height && shape[3] == preprocess.width) return {};
  return fail(ErrorCode::InvalidArgument, "input 'input' has shape {}, expected [n, 3, {}, {}]", to_string(shape),
              preprocess.height, preprocess.width);
}

std::size_t size_of(const InferInput& input) {
  return std::visit([](const auto& data) { return data.size(); }, input.data);
}

/// How many images there are.
tl::expected<std::size_t, Refusal> check_inputs(const InferRequest& request, const model::ModelSpec& spec) {
  const auto refuse = [](Error error) { return tl::unexpected(Refusal{std::move(error), Blame::Request}); };
  if (request.inputs.size() != 1)
    return refuse({ErrorCode::InvalidArgument,
                   fmt::format("{} inputs: send exactly one of 'image' (BYTES), 'pixels' (UINT8), 'input' (FP32)",
                               request.inputs.size())});
  const InferInput& input = request.inputs.front();
  const auto expected = kNameOfType[input.data.index()];
  if (input.name != expected)
    return refuse(
        {ErrorCode::InvalidArgument,
         fmt::format("input '{}' does not go with its datatype: the model takes 'image' as BYTES, 'pixels' as "
                     "UINT8, 'input' as FP32",
                     input.name.substr(0, 64))});
  if (auto checked = check_shape(input, spec); !checked) return refuse(std::move(checked.error()));
  auto count = element_count(input.shape);
  if (!count) return refuse(std::move(count.error()));
  if (*count != size_of(input))
    return refuse(
        {ErrorCode::InvalidArgument, fmt::format("input '{}' of shape {} has {} elements, expected {}", input.name,
                                                 to_string(input.shape), size_of(input), *count)});
  const auto images = input.shape.front();
  if (images < 1) return refuse({ErrorCode::InvalidArgument, "no image: the first dimension of the input is 0"});
  if (images > OpenInference::kMostImages)
    return refuse({ErrorCode::ResourceExhausted,
                   fmt::format("{} images in one request, at most {}", images, OpenInference::kMostImages)});
  return static_cast<std::size_t>(images);
}

Result<void> check_outputs(const InferRequest& request) {
  for (const auto& output : request.outputs) {
    if (output.name != kProbabilities && output.name != kLabel && output.name != kDoubt)
      return fail(ErrorCode::InvalidArgument,
                  "output '{}' is not known: there are 'probabilities', 'label' and 'doubt'",
                  output.name.substr(0, 64));
    if (output.classification != 0 && output.name != kProbabilities)
      return fail(ErrorCode::InvalidArgument, "output '{}' cannot be classified: 'probabilities' can", output.name);
    if (output.classification < 0)
      return fail(ErrorCode::InvalidArgument, "classification is {}, expected 1 or more", output.classification);
  }
  return {};
}

/// Image `i` of the input.
tl::expected<Prepared, Refusal> prepare_item(const InferInput& input, std::size_t i,
                                             const image::Preprocess& preprocess, const image::DecodeLimits& limits) {
  if (const auto* floats = std::get_if<std::vector<float>>(&input.data)) {
    const std::size_t size = floats->size() / static_cast<std::size_t>(input.shape.front());
    const auto first = floats->begin() + static_cast<std::ptrdiff_t>(i * size);
    std::vector<float> planes(first, first + static_cast<std::ptrdiff_t>(size));
    if (!std::ranges::all_of(planes, [](float x) { return std::isfinite(x); }))
      return tl::unexpected(Refusal{{ErrorCode::InvalidArgument, "input 'input' holds values that are not finite"}});
    return Prepared{.planes = std::move(planes), .decode = {}, .preprocess = {}};
  }
  if (const auto* bytes = std::get_if<std::vector<std::uint8_t>>(&input.data)) {
    image::Image image{static_cast<int>(input.shape[2]), static_cast<int>(input.shape[1]), {}};
    const auto size = static_cast<std::ptrdiff_t>(image.pixels() * 3);
    const auto first = bytes->begin() + static_cast<std::ptrdiff_t>(i) * size;
    image.rgb.assign(first, first + size);
    return prepare(std::move(image), preprocess);
  }
  return prepare(std::get<std::vector<Encoded>>(input.data)[i].bytes(), preprocess, limits);
}

Outcome outcome_of(const Refusal& refusal) {
  if (refusal.blame == Blame::Request) return Outcome::Invalid;
  switch (refusal.error.code) {
    case ErrorCode::Timeout: return Outcome::Deadline;
    case ErrorCode::ResourceExhausted: return Outcome::QueueFull;
    default: return Outcome::Failed;
  }
}

/// One request's images on their way: each gives its row, the last one answers.
class Gathering {
 public:
  Gathering(InferRequest request, std::shared_ptr<const ModelFace> face, std::size_t images, InferDone done)
      : request_(std::move(request)),
        face_(std::move(face)),
        classes_(face_->spec.labels.size()),
        probabilities_(images * classes_),
        doubts_(images),
        open_(images),
        in_flight_(face_->metrics),
        done_(std::move(done)) {}

  [[nodiscard]] const InferRequest& request() const { return request_; }

  void add(std::size_t i, const Prepared& prepared, Result<std::vector<float>> logits, const infer::Timing& batch) {
    if (!logits) return fail(i, {std::move(logits.error()), Blame::Service}, 1);
    if (!std::ranges::all_of(*logits, [](float x) { return std::isfinite(x); }))
      return fail(i, {{ErrorCode::Internal, "the network gave a score that is not finite"}, Blame::Service}, 1);
    const auto row = model::softmax(*logits, face_->spec.temperature);
    std::ranges::transform(row, probabilities_.begin() + static_cast<std::ptrdiff_t>(i * classes_),
                           [](double p) { return static_cast<float>(p); });
    const int said = model::argmax(*logits);
    doubts_[i] = face_->abstention.judge(said, row[static_cast<std::size_t>(said)], model::energy(*logits));
    face_->metrics->count_doubt(doubts_[i]);
    face_->metrics->count_prediction(said,
                                     {.decode = prepared.decode,
                                      .preprocess = prepared.preprocess,
                                      .queue = batch.queue,
                                      .infer = batch.infer,
                                      .total = duration_cast<microseconds>(steady_clock::now() - request_.received),
                                      .batch_size = batch.batch_size});
    finish(1);
  }

  /// Image `i` failed; `count` images will give no row. The first failure is the one answered.
  void fail(std::size_t i, Refusal refusal, std::size_t count) {
    if (probabilities_.size() > classes_) refusal.error = std::move(refusal.error).with(fmt::format("image {}", i));
    {
      const std::scoped_lock lock(mutex_);
      if (!refusal_) refusal_ = std::move(refusal);
    }
    finish(count);
  }

 private:
  void finish(std::size_t count) {
    if (open_.fetch_sub(count, std::memory_order_acq_rel) != count) return;
    in_flight_.reset();
    face_->metrics->count_outcome(refusal_ ? outcome_of(*refusal_) : Outcome::Ok);
    if (refusal_) return done_(tl::unexpected(std::move(*refusal_)));
    done_(respond());
  }

  [[nodiscard]] InferResponse respond() const {
    const auto& status = face_->status;
    InferResponse response{.model = status["name"].get<std::string>(),
                           .version = status["version"].get<int>(),
                           .id = request_.id,
                           .outputs = {}};
    for (const auto& wanted : request_.outputs) response.outputs.push_back(output(wanted));
    if (request_.outputs.empty())
      response.outputs = {output({std::string(kProbabilities)}), output({std::string(kLabel)}),
                          output({std::string(kDoubt)})};
    return response;
  }

  [[nodiscard]] InferOutput output(const WantedOutput& wanted) const {
    const auto images = static_cast<std::int64_t>(probabilities_.size() / classes_);
    if (wanted.classification > 0) {
      const auto k = std::min<std::size_t>(static_cast<std::size_t>(wanted.classification), classes_);
      return {wanted.name, {images, static_cast<std::int64_t>(k)}, likeliest(k)};
    }
    if (wanted.name == kProbabilities)
      return {wanted.name, {images, static_cast<std::int64_t>(classes_)}, probabilities_};
    if (wanted.name == kDoubt) {
      std::vector<std::string> names;
      for (const auto doubt : doubts_) names.emplace_back(model::to_string(doubt));
      return {wanted.name, {images}, std::move(names)};
    }
    std::vector<std::string> labels;
    for (std::size_t start = 0; start < probabilities_.size(); start += classes_)
      labels.push_back(face_->spec.labels[order(start, 1).front()]);
    return {wanted.name, {images}, std::move(labels)};
  }

  /// The classes of the row at `start`, the likeliest `k` first; of equals the first.
  [[nodiscard]] std::vector<std::size_t> order(std::size_t start, std::size_t k) const {
    std::vector<std::size_t> classes(classes_);
    std::iota(classes.begin(), classes.end(), std::size_t{0});
    std::partial_sort(classes.begin(), classes.begin() + static_cast<std::ptrdiff_t>(k), classes.end(),
                      [&](std::size_t a, std::size_t b) {
                        const float pa = probabilities_[start + a], pb = probabilities_[start + b];
                        return pa != pb ? pa > pb : a < b;
                      });
    classes.resize(k);
    return classes;
  }

  [[nodiscard]] std::vector<std::string> likeliest(std::size_t k) const {
    std::vector<std::string> rows;
    for (std::size_t start = 0; start < probabilities_.size(); start += classes_)
      for (const auto c : order(start, k))
        rows.push_back(fmt::format("{:f}:{}:{}", probabilities_[start + c], c, face_->spec.labels[c]));
    return rows;
  }

  const InferRequest request_;
  const std::shared_ptr<const ModelFace> face_;  // not the model: this may end on a thread of its batcher
  const std::size_t classes_;
  std::vector<float> probabilities_;  // each image's thread writes its own row, and its own doubt
  std::vector<model::Doubt> doubts_;
  std::atomic<std::size_t> open_;
  std::optional<monitor::ModelMetrics::InFlight> in_flight_;
  const InferDone done_;
  std::mutex mutex_;  // guards refusal_ until open_ is 0
  std::optional<Refusal> refusal_;
};

void prepare_and_submit(const LiveModel& model, const std::shared_ptr<Gathering>& gathering, std::size_t images,
                        const image::DecodeLimits& limits) {
  const InferRequest& request = gathering->request();
  for (std::size_t i = 0; i < images; ++i) {
    const std::size_t rest = images - i;
    if (steady_clock::now() >= request.deadline)
      return gathering->fail(
          i, {{ErrorCode::Timeout, "the deadline passed before the image was decoded"}, Blame::Service}, rest);
    auto prepared = prepare_item(request.inputs.front(), i, model.face()->spec.preprocess, limits);
    if (!prepared) return gathering->fail(i, std::move(prepared.error()), rest);
    auto planes = std::move(prepared->planes);
    auto submitted = model.batcher().submit(
        std::move(planes), request.deadline,
        [gathering, i, times = std::move(*prepared)](Result<std::vector<float>> logits, const infer::Timing& timing) {
          gathering->add(i, times, std::move(logits), timing);
        },
        request.priority);
    if (!submitted) return gathering->fail(i, {std::move(submitted.error()), Blame::Service}, rest);
  }
}

}  // namespace

void OpenInference::infer(InferRequest request, InferDone done) const {
  const auto refuse = [&](Error error, Blame blame) { done(tl::unexpected(Refusal{std::move(error), blame})); };
  auto model = models_.find(request.model, request.version);
  if (!model) return refuse(std::move(model.error()), Blame::Request);
  const LiveModel& live = **model;
  if (auto checked = check_outputs(request); !checked) return refuse(std::move(checked.error()), Blame::Request);
  const auto images = check_inputs(request, live.face()->spec);
  if (!images) return done(tl::unexpected(images.error()));
  if (!live.batcher().admits(request.priority)) {
    live.face()->metrics->count_outcome(Outcome::QueueFull);
    return refuse({ErrorCode::ResourceExhausted, "too many images are waiting, try again"}, Blame::Service);
  }
  const auto gathering = std::make_shared<Gathering>(std::move(request), live.face(), *images, std::move(done));
  prepare_and_submit(live, gathering, *images, limits_);
}

Result<ModelInfo> OpenInference::info(std::string_view model, std::optional<int> version) const {
  TRY(const auto found, models_.find(model, version));
  const auto& spec = found->face()->spec;
  ModelInfo info{.name = std::string(model), .versions = {}, .inputs = {}, .outputs = {}};
  for (const auto& [number, live] : models_.loaded(model).versions)
    if (!version || number == *version) info.versions.push_back(number);
  info.inputs = {{kImage, "BYTES", {-1}},
                 {kPixels, "UINT8", {-1, -1, -1, 3}},
                 {kInput, "FP32", {-1, 3, spec.preprocess.height, spec.preprocess.width}}};
  info.outputs = {{kProbabilities, "FP32", {-1, spec.classes()}}, {kLabel, "BYTES", {-1}}, {kDoubt, "BYTES", {-1}}};
  return info;
}

Result<std::vector<ModelCounts>> OpenInference::counts(std::string_view model, std::optional<int> version) const {
  std::vector<ModelCounts> all;
  if (!model.empty()) {
    TRY_VOID(models_.find(model, version));
  }
  for (const auto& loaded : models_.list()) {
    if (!model.empty() && loaded.name != model) continue;
    for (const auto& [number, live] : loaded.versions)
      if (!version || number == *version) all.push_back({loaded.name, number, live->face()->metrics->totals()});
  }
  return all;
}

}  // namespace imago::serve
