// SPDX-License-Identifier: Apache-2.0
#include "serve/tensors.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace imago::serve {
namespace {

TEST(ElementCount, IsTheProductWithoutOverflow) {
  EXPECT_EQ(element_count({2, 3, 4}).value(), 24U);
  EXPECT_EQ(element_count({std::int64_t{1} << 31, 0}).value(), 0U);
  EXPECT_EQ(element_count({0, std::int64_t{1} << 31}).value(), 0U);
  for (const TensorShape& shape : {TensorShape{-1}, TensorShape{std::int64_t{1} << 40, std::int64_t{1} << 40},
                                   TensorShape{3, std::numeric_limits<std::int64_t>::max()}, TensorShape{}}) {
    EXPECT_EQ(element_count(shape).error().code, ErrorCode::InvalidArgument);
  }
}

}  // namespace
}  // namespace imago::serve
