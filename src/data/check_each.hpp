// SPDX-License-Identifier: Apache-2.0
// Inside data/: what may be wrong with an image by itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/check.hpp"

namespace imago::data {

/// "1 image", "2 images".
std::string counted(std::size_t count, std::string_view what);

/// Damaged, blank, tiny, long, dark, huge, colourless, CMYK, transparent and misnamed images; each finding with the
/// worst first, those that found nothing too.
std::vector<Finding> check_each(const Manifest& manifest, const std::vector<ImageFacts>& contents,
                                const CheckLimits& limits);

}  // namespace imago::data
