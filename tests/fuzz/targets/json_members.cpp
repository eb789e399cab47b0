// SPDX-License-Identifier: Apache-2.0
#include "serve/json_members.hpp"

#include "fuzz/target.hpp"
#include "json/json.hpp"

FUZZ_TARGET(json_members) {
  const auto members = imago::serve::json_members(input);
  if (members) EXPECTS(members->size() <= 64, "there are no more members than the limit");
  // Where the strict reader sees an object, the fast one sees the same members.
  const auto value = imago::json::parse(input);
  if (!value || !value->is_object() || !members) return;
  for (const auto& [key, text] : *members)
    if (key.find('\\') == std::string_view::npos)
      EXPECTS(value->contains(key) && imago::json::parse(text) == value->at(std::string(key)),
              "a member is the one of its key");
}
