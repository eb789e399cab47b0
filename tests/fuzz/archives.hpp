// SPDX-License-Identifier: Apache-2.0
// What must hold for the bytes of any archive.
#pragma once

#include <string_view>

namespace imago::fuzz {

/// Reads all of it within small limits, and holds names and sizes to them.
void read_all(std::string_view input);

}  // namespace imago::fuzz
