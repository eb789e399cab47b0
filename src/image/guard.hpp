// SPDX-License-Identifier: Apache-2.0
// Inside image/: the edge where what libraries throw becomes an Error. Every public function that may meet one goes
// through it.
#pragma once

#include <exception>
#include <new>

#include "base/error.hpp"

namespace imago::image {

template <class F>
auto guard(F&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::ResourceExhausted, "not enough memory for the image");
  } catch (const std::exception& exception) {  // cv::Exception is one
    return fail(ErrorCode::Internal, "image library: {}", exception.what());
  }
}

}  // namespace imago::image
