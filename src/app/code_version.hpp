// SPDX-License-Identifier: Apache-2.0
// Written by cmake/code_version.cmake at each build.
#pragma once

namespace imago::app {

/// The sources this program was built from: "0.1.0-0618874f2a1b", with "-dirty" when they had changes that no commit
/// has; "0.1.0" where git was not there to ask. Runs and lineages keep it.
const char* code_version();

}  // namespace imago::app
