# SPDX-License-Identifier: Apache-2.0
# deps::torch: Debian's libtorch, or the one that -DTorch_DIR=PREFIX/share/cmake/Torch names (docs/gpu.md).

add_library(deps::torch INTERFACE IMPORTED)
get_filename_component(torch_prefix "${Torch_DIR}/../../.." ABSOLUTE)
if(Torch_DIR AND EXISTS ${torch_prefix}/lib/libtorch_cuda.so)
  # A libtorch with CUDA is taken past its own CMake files: they ask for nvcc, and here is nothing that it would compile.
  message(STATUS "libtorch with CUDA: ${torch_prefix}")
  # It brings header files of a fmt of its own, without the library: ours are put before them.
  find_path(FMT_INCLUDE fmt/core.h REQUIRED)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/before_torch)
  file(CREATE_LINK ${FMT_INCLUDE}/fmt ${CMAKE_BINARY_DIR}/before_torch/fmt SYMBOLIC)
  target_include_directories(deps::torch SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/before_torch
    ${torch_prefix}/include ${torch_prefix}/include/torch/csrc/api/include)
  # Nothing here calls libtorch_cuda by name: it registers itself when it is loaded.
  target_link_libraries(deps::torch INTERFACE -Wl,--push-state,--no-as-needed ${torch_prefix}/lib/libtorch.so
    ${torch_prefix}/lib/libtorch_cpu.so ${torch_prefix}/lib/libtorch_cuda.so ${torch_prefix}/lib/libc10.so
    ${torch_prefix}/lib/libc10_cuda.so -Wl,--pop-state)
  target_compile_definitions(deps::torch INTERFACE USE_C10D_GLOO)

  # CUDA's and NCCL's header files: those of the toolkit, or of the packages that a libtorch from PyPI brings along (and
  # nvidia-cuda-crt, which it does not).
  file(GLOB wheels "${torch_prefix}/../nvidia/cu*/include" "${torch_prefix}/../nvidia/nccl/include")
  find_path(CUDA_INCLUDE crt/host_config.h HINTS ${wheels} PATHS /usr/local/cuda/include)
  find_path(NCCL_INCLUDE nccl.h HINTS ${wheels} PATHS /usr/local/cuda/include)
  if(CUDA_INCLUDE AND NCCL_INCLUDE)
    target_include_directories(deps::torch SYSTEM INTERFACE ${CUDA_INCLUDE} ${NCCL_INCLUDE})
    target_compile_definitions(deps::torch INTERFACE USE_C10D_NCCL)
  else()
    message(STATUS "no crt/host_config.h or nccl.h: several GPUs will exchange through the host's memory")
  endif()
else()
  find_package(Torch REQUIRED)
  find_package(OpenMP REQUIRED)  # the same one as libtorch's: at::parallel_for is a header, and serial without it
  target_include_directories(deps::torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
  target_link_libraries(deps::torch INTERFACE ${TORCH_LIBRARIES} OpenMP::OpenMP_CXX)
endif()
