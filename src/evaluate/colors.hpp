// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "image/drawing.hpp"

namespace imago::evaluate {

/// What text and axes of every plot are drawn in.
inline constexpr image::Color kInk{34, 34, 34};

}  // namespace imago::evaluate
