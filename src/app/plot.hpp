// SPDX-License-Identifier: Apache-2.0
// A curve in the terminal, from block characters.
#pragma once

#include <string>
#include <vector>

namespace imago::app {

/// `values` from left to right as columns of eighths of a block, `rows` lines high, at most `columns` wide (then a
/// column is the mean of its values), with the largest and the smallest value beside it. Not finite: an empty column.
/// Level lines are half high. Ends in a newline; empty when there is no finite value.
std::string plot_blocks(const std::string& name, const std::vector<double>& values, int rows = 5, int columns = 60);

}  // namespace imago::app
