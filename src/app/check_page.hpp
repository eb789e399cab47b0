// SPDX-License-Identifier: Apache-2.0
// What a check found, as one HTML page to look at.
#pragma once

#include <string>

#include "base/error.hpp"
#include "data/check.hpp"

namespace imago::app {

/// A page that needs nothing else: pictures are inside, no script, no request. Light or dark as the reader's system is.
/// Names from the data set are escaped. At most some dozens of pictures a finding.
std::string check_page(const data::Repository& repository, const data::Manifest& manifest,
                       const data::CheckReport& report);

}  // namespace imago::app
