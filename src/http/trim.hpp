// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace imago::http {

/// `text` without the optional whitespace (RFC 9110, 5.6.3: spaces and tabs) around it.
inline std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace imago::http
