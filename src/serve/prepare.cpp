// SPDX-License-Identifier: Apache-2.0
#include "serve/prepare.hpp"

namespace imago::serve {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;

}  // namespace

tl::expected<Prepared, Refusal> prepare(Bytes encoded, const image::Preprocess& preprocess,
                                        const image::DecodeLimits& limits) {
  const auto start = steady_clock::now();
  auto decoded = image::decode_for(preprocess, encoded, limits);
  if (!decoded) return tl::unexpected(Refusal{std::move(decoded.error()), Blame::Request});
  const auto took = duration_cast<microseconds>(steady_clock::now() - start);
  auto prepared = prepare(std::move(*decoded), preprocess);
  if (prepared) prepared->decode = took;
  return prepared;
}

tl::expected<Prepared, Refusal> prepare(image::Image image, const image::Preprocess& preprocess) {
  const auto start = steady_clock::now();
  auto resized = image::resize(std::move(image), preprocess);
  if (!resized) return tl::unexpected(Refusal{std::move(resized.error()), Blame::Service});
  Prepared prepared{.planes = std::vector<float>(resized->rgb.size()), .decode = {}, .preprocess = {}};
  image::normalize(resized->rgb, preprocess, prepared.planes);
  prepared.preprocess = duration_cast<microseconds>(steady_clock::now() - start);
  return prepared;
}

tl::expected<Prepared, Refusal> prepare(PredictInput& input, const image::Preprocess& preprocess,
                                        const image::DecodeLimits& limits) {
  if (const auto* encoded = std::get_if<Encoded>(&input.image)) return prepare(encoded->bytes(), preprocess, limits);
  return prepare(std::move(std::get<image::Image>(input.image)), preprocess);
}

}  // namespace imago::serve
