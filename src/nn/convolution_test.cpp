// SPDX-License-Identifier: Apache-2.0
#include "nn/convolution.hpp"

#include <gtest/gtest.h>

namespace imago::nn {
namespace {

using torch::Tensor;

struct Shape {
  int n, in, out, height, width;
};

Tensor image_like(const std::vector<std::int64_t>& sizes) {
  return torch::randn(sizes).contiguous(torch::MemoryFormat::ChannelsLast);
}

struct Outcome {
  Tensor y, by_x, by_weight;
};

template <class F>
Outcome outcome_of(const F& convolution, const Tensor& x, const Tensor& weight, const Tensor& gradient) {
  const Tensor input = x.detach().clone().requires_grad_(), filters = weight.detach().clone().requires_grad_();
  const Tensor y = convolution(input, filters);
  y.backward(gradient);
  return {y.detach(), input.grad(), filters.grad()};
}

double difference(const Tensor& a, const Tensor& b) { return ((a - b).abs().max() / b.abs().max()).item<double>(); }

class Products : public ::testing::TestWithParam<Shape> {};

TEST_P(Products, GiveValuesAndGradientsOfLibtorchsConvolution) {
  const auto [n, in, out, height, width] = GetParam();
  torch::manual_seed(1);
  const Tensor x = image_like({n, in, height, width}), weight = image_like({out, in, 3, 3});
  const Tensor gradient = image_like({n, out, height, width});
  const auto want = outcome_of([](const Tensor& a, const Tensor& b) { return torch::conv2d(a, b, {}, 1, 1); },
                               x.to(torch::kFloat64), weight.to(torch::kFloat64), gradient.to(torch::kFloat64));
  const auto got = outcome_of(convolve_by_products, x, weight, gradient);
  EXPECT_TRUE(got.y.is_contiguous(torch::MemoryFormat::ChannelsLast));
  EXPECT_LT(difference(got.y.to(torch::kFloat64), want.y), 1e-5);
  EXPECT_LT(difference(got.by_x.to(torch::kFloat64), want.by_x), 1e-5);
  EXPECT_LT(difference(got.by_weight.to(torch::kFloat64), want.by_weight), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(OfShapes, Products,
                         ::testing::Values(Shape{1, 16, 8, 1, 1}, Shape{1, 64, 32, 5, 9}, Shape{3, 17, 5, 7, 2},
                                           Shape{13, 256, 96, 7, 7}, Shape{65, 24, 64, 31, 31}));

TEST(Products, RepeatThemselvesToTheBit) {
  const Tensor x = image_like({9, 32, 15, 15}), weight = image_like({48, 32, 3, 3});
  const Tensor gradient = image_like({9, 48, 15, 15});
  const auto first = outcome_of(convolve_by_products, x, weight, gradient);
  const auto second = outcome_of(convolve_by_products, x, weight, gradient);
  EXPECT_TRUE(torch::equal(first.y, second.y));
  EXPECT_TRUE(torch::equal(first.by_weight, second.by_weight));
}

TEST(Products, LeaveAFrozenWeightWithoutAGradient) {
  const Tensor x = image_like({2, 16, 4, 4}).requires_grad_(), weight = image_like({8, 16, 3, 3});
  convolve_by_products(x, weight).sum().backward();
  EXPECT_TRUE(x.grad().defined());
  EXPECT_FALSE(weight.grad().defined());
}

TEST(Products, MayBeOverwritten) {
  const Tensor x = image_like({2, 16, 4, 4}).requires_grad_(), weight = image_like({8, 16, 3, 3}).requires_grad_();
  convolve_by_products(x, weight).relu_().sum().backward();
  const Tensor got = weight.grad().clone();
  weight.mutable_grad() = Tensor();
  torch::conv2d(x, weight, {}, 1, 1).relu_().sum().backward();
  EXPECT_LT(difference(got, weight.grad()), 1e-5);
}

TEST(Convolve, AddsItsBiasWhicheverWayItTakes) {
  model::Conv2d conv;
  conv.out_channels = 8;
  conv.padding = model::Padding::same(3);
  const Tensor x = image_like({2, 16, 6, 6}), weight = image_like({8, 16, 3, 3}), bias = torch::randn({8});
  EXPECT_LT(difference(convolve(conv, x, weight, bias), torch::conv2d(x, weight, bias, 1, 1)), 1e-5);
}

}  // namespace
}  // namespace imago::nn
