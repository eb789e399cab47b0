// SPDX-License-Identifier: Apache-2.0
#include "serve/gathering.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace imago::serve {
namespace {

using monitor::Outcome;
using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;

Outcome outcome_of(const Refusal& refusal) {
  if (refusal.blame == Blame::Request) return Outcome::Invalid;
  switch (refusal.error.code) {
    case ErrorCode::Timeout: return Outcome::Deadline;
    case ErrorCode::ResourceExhausted: return Outcome::QueueFull;
    default: return Outcome::Failed;
  }
}

}  // namespace

Gathering::Gathering(InferRequest request, std::shared_ptr<const ModelFace> face, std::size_t images, InferDone done)
    : request_(std::move(request)),
      face_(std::move(face)),
      classes_(face_->spec.labels.size()),
      probabilities_(images * classes_),
      doubts_(images),
      open_(images),
      in_flight_(face_->metrics),
      done_(std::move(done)) {}

void Gathering::add(std::size_t i, const Prepared& prepared, Result<std::vector<float>> logits,
                    const infer::Timing& batch) {
  if (!logits) return fail(i, {std::move(logits.error()), Blame::Service}, 1);
  if (!std::ranges::all_of(*logits, [](float x) { return std::isfinite(x); })) {
    // Of an image that is the network's fault; but what a client normalised itself can be of any size.
    const bool is_clients = std::holds_alternative<std::vector<float>>(request_.inputs.front().data);
    return fail(i,
                is_clients
                    ? Refusal{{ErrorCode::InvalidArgument,
                               "the values of input 'input' are so large that a score is not finite"}}
                    : Refusal{{ErrorCode::Internal, "the network gave a score that is not finite"}, Blame::Service},
                1);
  }
  const auto row = model::softmax(*logits, face_->spec.temperature);
  std::ranges::transform(row, probabilities_.begin() + static_cast<std::ptrdiff_t>(i * classes_),
                         [](double p) { return static_cast<float>(p); });
  const int said = model::argmax(*logits);
  doubts_[i] = face_->abstention.judge(said, row[static_cast<std::size_t>(said)], model::energy(*logits));
  face_->metrics->count_doubt(doubts_[i]);
  face_->metrics->count_prediction(said, {.decode = prepared.decode,
                                          .preprocess = prepared.preprocess,
                                          .queue = batch.queue,
                                          .infer = batch.infer,
                                          .total = duration_cast<microseconds>(steady_clock::now() - request_.received),
                                          .batch_size = batch.batch_size});
  finish(1);
}

void Gathering::fail(std::size_t i, Refusal refusal, std::size_t count) {
  if (probabilities_.size() > classes_) refusal.error = std::move(refusal.error).with(fmt::format("image {}", i));
  {
    const std::scoped_lock lock(mutex_);
    if (!refusal_) refusal_ = std::move(refusal);
  }
  finish(count);
}

void Gathering::finish(std::size_t count) {
  if (open_.fetch_sub(count, std::memory_order_acq_rel) != count) return;
  in_flight_.reset();
  face_->metrics->count_outcome(refusal_ ? outcome_of(*refusal_) : Outcome::Ok);
  if (refusal_) return done_(tl::unexpected(std::move(*refusal_)));
  done_(respond());
}

InferResponse Gathering::respond() const {
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

InferOutput Gathering::output(const WantedOutput& wanted) const {
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
std::vector<std::size_t> Gathering::order(std::size_t start, std::size_t k) const {
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

std::vector<std::string> Gathering::likeliest(std::size_t k) const {
  std::vector<std::string> rows;
  for (std::size_t start = 0; start < probabilities_.size(); start += classes_)
    for (const auto c : order(start, k))
      rows.push_back(fmt::format("{:f}:{}:{}", probabilities_[start + c], c, face_->spec.labels[c]));
  return rows;
}

}  // namespace imago::serve
