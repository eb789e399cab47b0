// SPDX-License-Identifier: Apache-2.0
// Other names people use for a class: "cats" and "Cat" for cat, "car" for automobile.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace imago::data {

/// Other spellings, in lower case, of each of `labels`: plural and singular, and well-known synonyms (car, plane,
/// puppy...). A spelling that is itself a label, or that two labels could claim, is left out. Alias -> label.
std::map<std::string, std::string> default_aliases(std::span<const std::string> labels);

/// The label `name` stands for: itself, the label that differs only in case, or by `aliases`. Nothing when it is none.
std::optional<std::string> resolve_label(std::string_view name, std::span<const std::string> labels,
                                         const std::map<std::string, std::string>& aliases);

}  // namespace imago::data
