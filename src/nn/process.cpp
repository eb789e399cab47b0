// SPDX-License-Identifier: Apache-2.0
#include "nn/process.hpp"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <thread>

// Of OpenBLAS, where that is libtorch's BLAS; null with another.
extern "C" void openblas_set_num_threads(int threads) __attribute__((weak));

namespace imago::nn {

// libtorch's thread settings belong to the process. One pool works on one operation at a time: two at once on the same
// cores cost more than they give.
void set_up_process(int threads) {
  static std::once_flag once;
  std::call_once(once, [] {
    at::set_num_interop_threads(1);
    ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);  // without it cuBLAS does not repeat itself to the bit
  });
  at::set_num_threads(threads > 0 ? threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  // Debian's OpenBLAS has threads of its own, which spin for a while after each product and take the cores from
  // OpenMP's: improved-cnn trained at half its speed (docs/decisions/0006).
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
  at::globalContext().setFlushDenormal(true);  // before the pool starts: its threads inherit it
  at::globalContext().setDeterministicAlgorithms(true, true);
  at::globalContext().setBenchmarkCuDNN(false);
}

at::ScalarType product_type(Precision precision, torch::Device device) {
#if defined(__x86_64__)
  const bool fast = device.is_cuda() || __builtin_cpu_supports("avx512bf16") > 0;
#else
  const bool fast = device.is_cuda();
#endif
  const bool bfloat16 = precision == Precision::Bfloat16 || (precision == Precision::Auto && fast);
  return bfloat16 ? torch::kBFloat16 : torch::kFloat32;
}

}  // namespace imago::nn
