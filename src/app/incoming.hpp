// SPDX-License-Identifier: Apache-2.0
// Files of this machine on their way into the uploads.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "data/uploads.hpp"

namespace imago::app {

/// Adds a file (image, archive, .npz) or all files of a folder, each labelled by the folder it lies in. What is refused
/// is in the report. NotFound when there is no such path, InvalidArgument for a folder without a file.
Result<data::UploadReport> take_in(data::Uploads& uploads, const std::string& path,
                                   const std::vector<std::string>& labels);

}  // namespace imago::app
