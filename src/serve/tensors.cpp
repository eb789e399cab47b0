// SPDX-License-Identifier: Apache-2.0
#include "serve/tensors.hpp"

#include <fmt/ranges.h>

namespace imago::serve {
namespace {

constexpr std::size_t kMostDimensions = 8;
constexpr std::int64_t kMostElements = std::int64_t{1} << 31;

}  // namespace

Result<std::size_t> element_count(const TensorShape& shape) {
  if (shape.empty() || shape.size() > kMostDimensions)
    return fail(ErrorCode::InvalidArgument, "a shape of {} dimensions, expected 1 to {}", shape.size(),
                kMostDimensions);
  std::int64_t count = 1;
  for (const auto side : shape) {
    if (side < 0) return fail(ErrorCode::InvalidArgument, "shape {} has a negative dimension", to_string(shape));
    if (side > kMostElements || (side > 0 && count > kMostElements / side))
      return fail(ErrorCode::InvalidArgument, "shape {} has more than {} elements", to_string(shape), kMostElements);
    count *= side;
  }
  return static_cast<std::size_t>(count);
}

std::string to_string(const TensorShape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

}  // namespace imago::serve
