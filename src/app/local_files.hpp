// SPDX-License-Identifier: Apache-2.0
// Files of this machine on their way into the uploads.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "data/uploads.hpp"

namespace imago::app {

/// Sends in files (images, archives, .npz) and everything below folders. In a folder, `cat/1.jpg` names its class; a
/// file that was named itself, or lies in the folder itself, is of the class of its folder when `labels` knows that
/// name, and of none otherwise. With `label` all are of that class. The report's refusals hold what was passed over as
/// well: hidden files and what cannot be read. NotFound when there is no such path, InvalidArgument for a folder
/// without files, and for more than data::kMaxUploadFiles in all: then nothing is taken.
Result<data::UploadReport> take_in(data::Uploads& uploads, const std::vector<std::string>& paths,
                                   const std::vector<std::string>& labels, const std::string& label = "");

/// The report in lines, the first ten refusals among them.
std::string in_words(const data::UploadReport& report);

}  // namespace imago::app
