// SPDX-License-Identifier: Apache-2.0
// Aligned columns for the terminal.
#pragma once

#include <string>
#include <vector>

namespace imago::app {

/// Each column as wide as its widest cell; cells that look like numbers are set right. The first row is the head.
std::string format_columns(const std::vector<std::vector<std::string>>& rows);

}  // namespace imago::app
