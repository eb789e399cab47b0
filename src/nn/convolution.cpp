// SPDX-License-Identifier: Apache-2.0
#include "nn/convolution.hpp"

#include <algorithm>
#include <tuple>
#include <vector>

namespace imago::nn {
namespace {

using torch::Tensor;

constexpr auto channels_last = torch::MemoryFormat::ChannelsLast;

/// The 3 x 3 pixels around each pixel: [n, h, w, 3, 3 c], a view of a padded copy of `x` [n, c, h, w].
Tensor neighbourhoods(const Tensor& x) {
  const auto n = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3), row = (w + 2) * c;
  const Tensor padded = torch::constant_pad_nd(x, {1, 1, 1, 1}).contiguous(channels_last);
  return padded.as_strided({n, h, w, 3, 3 * c}, {(h + 2) * row, row, c, row, 1});
}

/// Calls `work(thread, first, count, rows)` with the neighbourhoods of a few images after the other, copied to a matrix
/// [pixels, 9 c] that stays in the cache; each thread has its part of the batch.
template <class Work>
void for_some_images(const Tensor& around, const Work& work) {
  constexpr std::int64_t cached = std::int64_t{1} << 19;  // floats, 2 MiB
  const auto n = around.size(0), pixels = around.size(1) * around.size(2), width = around.size(3) * around.size(4);
  const auto at_once = std::max<std::int64_t>(1, cached / (pixels * width));
  const auto threads = at::get_num_threads();
  at::parallel_for(0, threads, 1, [&](std::int64_t begin, std::int64_t end) {
    const torch::NoGradGuard guard;  // a thread's own
    const Tensor buffer = torch::empty({at_once * pixels, width}, around.options());
    for (auto thread = begin; thread < end; ++thread) {
      const auto last = n * (thread + 1) / threads;
      for (auto first = n * thread / threads; first < last; first += at_once) {
        const auto count = std::min(at_once, last - first);
        const Tensor rows = buffer.narrow(0, 0, count * pixels);
        const Tensor images = around.narrow(0, first, count);
        rows.view(images.sizes()).copy_(images);
        work(thread, first, count, rows);
      }
    }
  });
}

Tensor product_forward(const Tensor& x, const Tensor& weight) {
  const auto outputs = weight.size(0);
  const Tensor filters = weight.permute({0, 2, 3, 1}).reshape({outputs, -1}).t();
  const Tensor y = torch::empty({x.size(0), outputs, x.size(2), x.size(3)}, x.options(), channels_last);
  const Tensor by_pixel = y.permute({0, 2, 3, 1});
  for_some_images(neighbourhoods(x), [&](auto, std::int64_t first, std::int64_t count, const Tensor& rows) {
    Tensor part = by_pixel.narrow(0, first, count).view({-1, outputs});
    at::mm_out(part, rows, filters);
  });
  return y;
}

/// Of the loss by the weights, from `gradient` [n, o, h, w], that by the outputs.
Tensor weight_gradient(const Tensor& x, const Tensor& gradient) {
  const auto outputs = gradient.size(1), inputs = x.size(1);
  const Tensor by_pixel = gradient.permute({0, 2, 3, 1}).contiguous();
  const Tensor sums = torch::zeros({at::get_num_threads(), outputs, 9 * inputs}, x.options());
  for_some_images(neighbourhoods(x),
                  [&](std::int64_t thread, std::int64_t first, std::int64_t count, const Tensor& rows) {
                    sums[thread].addmm_(by_pixel.narrow(0, first, count).view({-1, outputs}).t(), rows);
                  });
  return sums.sum(0).view({outputs, 3, 3, inputs}).permute({0, 3, 1, 2});
}

/// oneDNN's, which here is as fast as a product.
Tensor input_gradient(const Tensor& x, const Tensor& weight, const Tensor& gradient) {
  return std::get<0>(at::convolution_backward(gradient, x, weight, c10::nullopt, {1, 1}, {1, 1}, {1, 1}, false, {0, 0},
                                              1, {true, false, false}));
}

struct Products : torch::autograd::Function<Products> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& weight) {
    context->save_for_backward({x, weight});
    return product_forward(x, weight);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &gradient = gradients.front();
    return {context->needs_input_grad(0) ? input_gradient(x, weight, gradient) : Tensor(),
            context->needs_input_grad(1) ? weight_gradient(x, gradient) : Tensor()};
  }
};

/// Where oneDNN has no kernels for AVX-512: its older ones leave a third of the processor unused (docs/decisions/0006).
/// Without OpenMP there would be one thread.
bool products_are_faster() {
#if defined(__x86_64__) && defined(_OPENMP)
  static const bool without_avx512 = __builtin_cpu_supports("avx512f") == 0;
  return without_avx512;
#else
  return false;
#endif
}

bool fits_products(const model::Conv2d& conv, const Tensor& x) {
  return conv.kernel == 3 && conv.stride == 1 && conv.groups == 1 && conv.padding == model::Padding{1, 1, 1, 1} &&
         x.device().is_cpu() && x.scalar_type() == torch::kFloat32 && x.is_contiguous(channels_last) &&
         x.size(1) >= 16;  // fewer make slim matrices
}

}  // namespace

Tensor convolve_by_products(const Tensor& x, const Tensor& weight) { return Products::apply(x, weight); }

Tensor convolve(const model::Conv2d& conv, Tensor x, const Tensor& weight, const Tensor& bias) {
  if (products_are_faster() && fits_products(conv, x)) {
    Tensor y = convolve_by_products(x, weight);
    return bias.defined() ? y.add_(bias.view({-1, 1, 1})) : y;
  }
  const model::Padding& p = conv.padding;
  std::vector<std::int64_t> padding{p.top, p.left};
  if (p.top != p.bottom || p.left != p.right) {
    x = torch::constant_pad_nd(x, {p.left, p.right, p.top, p.bottom}).contiguous(channels_last);
    padding = {0, 0};
  }
  return torch::conv2d(x, weight, bias, conv.stride, padding, 1, conv.groups);
}

}  // namespace imago::nn
