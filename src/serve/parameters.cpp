// SPDX-License-Identifier: Apache-2.0
#include "serve/parameters.hpp"

#include <charconv>

namespace imago::serve {

Result<int> number_in_query(const http::Request& request, std::string_view name, int otherwise, int least, int most) {
  const std::string_view text = request.parameter(name);
  if (text.empty()) return otherwise;
  int number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end || number < least || number > most)
    return fail(ErrorCode::InvalidArgument, "{}={}: expected {} to {}", name, text, least, most);
  return number;
}

}  // namespace imago::serve
