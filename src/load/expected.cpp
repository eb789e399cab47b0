// SPDX-License-Identifier: Apache-2.0
#include "load/expected.hpp"

#include <fmt/format.h>

#include <charconv>

namespace imago::load {
namespace {

/// Found, not parsed: a parser would cost this side more than all the rest, and the server writes it in this form.
int number_after(std::string_view key, std::string_view body) {
  const auto at = body.find(key);
  int value = -1;
  if (at != std::string_view::npos) std::from_chars(body.data() + at + key.size(), body.data() + body.size(), value);
  return value;
}

}  // namespace

int class_in(std::string_view body) { return number_after("\"class_index\":", body); }
int version_in(std::string_view body) { return number_after("\"model_version\":", body); }

std::string Expected::problem_with(std::string_view body, std::size_t image) const {
  const bool any = by_version_.contains(kAny);
  const int version = any ? kAny : version_in(body);
  const auto expected = by_version_.find(version);
  if (expected == by_version_.end())
    return fmt::format("image {} was answered by version {}, which is none of those asked for", image, version);
  const int found = class_in(body);
  if (found == expected->second[image]) return {};
  return fmt::format("image {} is of class {}, {} says; the answer was {}", image, expected->second[image],
                     any ? "the model" : fmt::format("version {}", version),
                     found < 0 ? std::string(body.substr(0, 200)) : std::to_string(found));
}

}  // namespace imago::load
