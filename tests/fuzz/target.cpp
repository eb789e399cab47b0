// SPDX-License-Identifier: Apache-2.0
#include "fuzz/target.hpp"

namespace imago::fuzz {

std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}

std::pair<std::string_view, std::string_view> first_line(std::string_view input) {
  const auto end = input.find('\n');
  if (end == std::string_view::npos) return {input, {}};
  return {input.substr(0, end), input.substr(end + 1)};
}

std::size_t take_number(std::string_view& input, int bytes) {
  std::size_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    value = value << 8U | (input.empty() ? 0 : static_cast<unsigned char>(input.front()));
    if (!input.empty()) input.remove_prefix(1);
  }
  return value;
}

}  // namespace imago::fuzz
