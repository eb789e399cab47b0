// SPDX-License-Identifier: Apache-2.0
// The parts of `imago data`, each in a file of its own.
#pragma once

#include "app/command.hpp"

namespace imago::app {

/// imago data import
void add_import_subcommand(CLI::App& data, Context& context);
/// imago data add | uploads | label | remove
void add_upload_subcommands(CLI::App& data, Context& context);
/// imago data export | diff
void add_export_subcommands(CLI::App& data, Context& context);
/// imago data preview
void add_preview_subcommand(CLI::App& data, Context& context);
/// imago data check
void add_check_subcommand(CLI::App& data, Context& context);

}  // namespace imago::app
