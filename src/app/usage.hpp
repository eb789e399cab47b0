// SPDX-License-Identifier: Apache-2.0
// What somebody is told who called the program wrongly.
#pragma once

#include <CLI/CLI.hpp>

namespace imago::app {

/// Prints what the parser stopped at: help that was asked for, a command that there is not beside those that there are,
/// the help of a command that wants another, or one line. @return the exit status.
int report_usage(const CLI::App& app, const CLI::ParseError& error);

/// For options: a number above 0, or of 0 and more; what is wrong is said in words.
CLI::Validator more_than_zero();
CLI::Validator zero_or_more();

}  // namespace imago::app
