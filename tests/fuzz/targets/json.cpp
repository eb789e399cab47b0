// SPDX-License-Identifier: Apache-2.0
#include "json/json.hpp"

#include "fuzz/target.hpp"

FUZZ_TARGET(json) {
  const auto value = imago::json::parse(input);
  if (!value) return;
  const auto text = imago::json::dump(*value);
  const auto again = imago::json::parse(text);
  EXPECTS(again && imago::json::dump(*again) == text, "what was read can be written and read again");
  static_cast<void>(imago::json::get<int>(*value, "a"));
  static_cast<void>(imago::json::get<std::uint64_t>(*value, "a"));
  static_cast<void>(imago::json::get<float>(*value, "a"));
  static_cast<void>(imago::json::get<std::vector<std::string>>(*value, "a"));
}
