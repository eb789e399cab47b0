// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace imago {

/// The project's folder when it was built. Linked to tests only: a program of ours reads nothing there.
std::string source_dir();

}  // namespace imago
