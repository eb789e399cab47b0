// SPDX-License-Identifier: Apache-2.0
// The parts of a JSON object or array as text: so that an array of thousands of numbers goes to the fast reader
// untouched.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace imago::serve {

/// Key (as written, without its quotes, escapes not resolved) and value text of each member of the object `text`. Only
/// the object itself and the extent of its values are checked: every value that is used must still be parsed. Corrupt
/// with the offset when it is no object; InvalidArgument over `max_members`, or when a key comes twice.
Result<std::vector<std::pair<std::string_view, std::string_view>>> json_members(std::string_view text,
                                                                                std::size_t max_members = 64);

/// The text of each item of the array `text`. Checks and errors as json_members; InvalidArgument over `max_items`.
Result<std::vector<std::string_view>> json_items(std::string_view text, std::size_t max_items);

}  // namespace imago::serve
