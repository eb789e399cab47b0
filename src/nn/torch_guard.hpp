// SPDX-License-Identifier: Apache-2.0
// The one place where libtorch's exceptions become Errors. For sources of nn only.
#pragma once

#include <torch/torch.h>

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace imago::nn {

/// Runs `work`, which returns a Result, and turns what libtorch throws into an Error of one line.
template <class F>
auto guard(F&& work) -> decltype(work()) {
  const auto first_line = [](std::string_view text) { return std::string(text.substr(0, text.find('\n'))); };
  try {
    return std::forward<F>(work)();
  } catch (const c10::Error& error) {
    return fail(ErrorCode::Internal, "libtorch: {}", first_line(error.what_without_backtrace()));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::ResourceExhausted, "out of memory: use a smaller batch_size");
  } catch (const std::exception& error) {
    return fail(ErrorCode::Internal, "libtorch: {}", first_line(error.what()));
  }
}

}  // namespace imago::nn
