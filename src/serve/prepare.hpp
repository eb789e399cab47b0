// SPDX-License-Identifier: Apache-2.0
// From an image, encoded or decoded, to what the network takes: the one way that all requests go.
#pragma once

#include <chrono>
#include <vector>

#include "image/preprocess.hpp"
#include "serve/http_status.hpp"
#include "serve/predict_input.hpp"

namespace imago::serve {

struct Prepared {
  std::vector<float> planes;
  std::chrono::microseconds decode{0}, preprocess{0};
};

/// Decodes, resizes, normalises. Errors of image::decode, which are the request's.
tl::expected<Prepared, Refusal> prepare(Bytes encoded, const image::Preprocess& preprocess,
                                        const image::DecodeLimits& limits);
tl::expected<Prepared, Refusal> prepare(image::Image image, const image::Preprocess& preprocess);
/// What was found, in whatever form; pixels are taken out of it.
tl::expected<Prepared, Refusal> prepare(PredictInput& input, const image::Preprocess& preprocess,
                                        const image::DecodeLimits& limits);

}  // namespace imago::serve
