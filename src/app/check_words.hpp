// SPDX-License-Identifier: Apache-2.0
// Inside app/: what the checks are called on the page, and what may be done.
#pragma once

#include <string_view>

namespace imago::app {

struct CheckWords {
  std::string_view check;   ///< data::Finding::check
  std::string_view title;   ///< "Same file in two splits"
  std::string_view advice;  ///< a sentence or two
};

/// Of a check nobody has words for, its own name and no advice.
CheckWords words_of(std::string_view check);

}  // namespace imago::app
