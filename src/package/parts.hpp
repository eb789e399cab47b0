// SPDX-License-Identifier: Apache-2.0
// Inside package/: what reading, writing and expanding a package have in common.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "image/preprocess.hpp"
#include "model/spec.hpp"
#include "package/manifest.hpp"

namespace imago::package {

/// spec.json. Corrupt when it is no specification.
Result<model::ModelSpec> read_spec(const Contents& contents);

/// The golden images as the network gets them.
Result<image::ImageBatch> make_inputs(const std::vector<std::string>& encoded, const image::Preprocess& preprocess);

/// golden/inputs.npy.
std::string encode_inputs(const image::ImageBatch& inputs);

}  // namespace imago::package
