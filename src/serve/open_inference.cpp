// SPDX-License-Identifier: Apache-2.0
#include "serve/open_inference.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "serve/gathering.hpp"
#include "serve/prepare.hpp"

namespace imago::serve {
namespace {

using std::chrono::steady_clock;

constexpr std::string_view kImage = "image", kPixels = "pixels", kInput = "input";
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

/// The queue took no more of a request's images: when it should have room again.
Refusal too_many(Error error, const infer::Batcher& batcher) {
  Refusal refusal{std::move(error), Blame::Service};
  if (refusal.error.code == ErrorCode::ResourceExhausted) refusal.retry_seconds = seconds_to_drain(batcher);
  return refusal;
}

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
    if (!submitted) return gathering->fail(i, too_many(std::move(submitted.error()), model.batcher()), rest);
  }
}

ModelStatistics statistics_of(const std::string& name, int version, const monitor::ModelTotals& totals) {
  ModelStatistics statistics{.name = name,
                             .version = version,
                             .last = totals.last,
                             .inferences = totals.images,
                             .success = {totals.images, totals.total.sum},
                             .failure = {totals.failures(), {}},
                             .queue = {totals.images, totals.queue.sum},
                             .input = {totals.images, totals.decode.sum + totals.preprocess.sum},
                             .infer = {totals.images, totals.infer.sum},
                             .output = {totals.images, {}},
                             .batches = {}};
  for (const auto& [size, batch] : totals.by_batch_size) {
    const std::int64_t times = (batch.images + size - 1) / std::max(size, 1);
    statistics.executions += times;
    statistics.batches.push_back(
        {.size = size, .input = {times, {}}, .infer = {times, batch.infer / std::max(size, 1)}, .output = {times, {}}});
  }
  return statistics;
}

}  // namespace

OpenInference::OpenInference(const ModelPool& models, const PredictorOptions& limits)
    : models_(models), limits_(limits), workers_(limits.decode_threads, limits.decode_queue) {}

Result<void> OpenInference::run_later(std::function<void()> work) const {
  if (workers_.try_run(std::move(work))) return {};
  return fail(ErrorCode::ResourceExhausted, "too many large requests are being decoded, try again");
}

/// Images of a decoded size, or files of a few bytes that say they are small, take no longer than other requests.
bool OpenInference::is_small(const InferRequest& request) const {
  std::size_t pixels = 0;
  for (const auto& input : request.inputs) {
    if (const auto* images = std::get_if<std::vector<Encoded>>(&input.data)) {
      for (const auto& image : *images) {
        const auto probe = image::probe(image.bytes(), limits_.decode);
        if (probe) pixels += static_cast<std::size_t>(probe->width) * static_cast<std::size_t>(probe->height);
      }
    } else {
      pixels += std::visit([](const auto& data) { return data.size() / 3; }, input.data);
    }
  }
  return pixels <= limits_.inline_pixels;
}

void OpenInference::infer(InferRequest request, const InferDone& done) const {
  if (is_small(request)) return infer_here(std::move(request), done);
  const auto shared = std::make_shared<InferRequest>(std::move(request));
  auto later = run_later([this, shared, done] { infer_here(std::move(*shared), done); });
  if (!later) done(tl::unexpected(Refusal{std::move(later.error()), Blame::Service}));
}

void OpenInference::infer_here(InferRequest request, const InferDone& done) const {
  const auto refuse = [&](Error error, Blame blame) { done(tl::unexpected(Refusal{std::move(error), blame})); };
  auto model = models_.find(request.model, request.version);
  if (!model) return refuse(std::move(model.error()), Blame::Request);
  const LiveModel& live = **model;
  if (auto checked = check_outputs(request); !checked) return refuse(std::move(checked.error()), Blame::Request);
  const auto images = check_inputs(request, live.face()->spec);
  if (!images) return done(tl::unexpected(images.error()));
  if (!live.batcher().admits(request.priority)) {
    live.face()->metrics->count_outcome(monitor::Outcome::QueueFull);
    return done(tl::unexpected(
        too_many({ErrorCode::ResourceExhausted, "too many images are waiting, try again"}, live.batcher())));
  }
  const auto gathering = std::make_shared<Gathering>(std::move(request), live.face(), *images, done);
  prepare_and_submit(live, gathering, *images, limits_.decode);
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

Result<std::vector<ModelStatistics>> OpenInference::statistics(std::string_view model,
                                                               std::optional<int> version) const {
  std::vector<ModelStatistics> all;
  if (!model.empty()) {
    TRY_VOID(models_.find(model, version));
  }
  for (const auto& loaded : models_.list()) {
    if (!model.empty() && loaded.name != model) continue;
    for (const auto& [number, live] : loaded.versions)
      if (!version || number == *version)
        all.push_back(statistics_of(loaded.name, number, live->face()->metrics->totals()));
  }
  return all;
}

}  // namespace imago::serve
