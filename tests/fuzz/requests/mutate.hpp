// SPDX-License-Identifier: Apache-2.0
// How sound bytes become unsound ones.
#pragma once

#include <string>

#include "base/rng.hpp"

namespace imago::fuzz {

/// `bytes` after one to `most` changes: bits flipped, bytes replaced, removed, repeated or put in, numbers replaced by
/// ones at the edge of something, the end cut off.
std::string damage(std::string bytes, Rng& rng, int most);

/// Of a text of JSON: one to three of its values replaced by others (null, huge, deep, of another type), else damage().
std::string damage_json(std::string text, Rng& rng);

/// A path and query in which segments, escapes and parameters are changed; no byte that would end the request line.
std::string damage_target(std::string target, Rng& rng);

/// A value for any header: without line breaks, but with whatever else.
std::string odd_value(Rng& rng);

}  // namespace imago::fuzz
