// SPDX-License-Identifier: Apache-2.0
// Images that people send in, as HTTP says them: the forms they come in, and how they are shown.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "data/uploads.hpp"
#include "http/server.hpp"
#include "json/json.hpp"
#include "serve/api.hpp"

namespace imago::serve {

/// The files of a request, looking into its body:
/// - multipart/form-data: every file part of whatever name. Labels come from the fields `label`, `labels`, `labels[]`
///   or `class_name`: one for all files, or one a file in order; a single `labels` may also be a JSON array or a list
///   with commas;
/// - another type: the body is one file, named by ?name= and labelled by ?label= or ?class_name=.
/// InvalidArgument when there is no file, or labels and files do not match in number; ResourceExhausted for too many
/// parts; Unsupported for JSON.
Result<std::vector<data::IncomingFile>> incoming_files(const http::Request& request);

/// The uploads of the server's workspace.
data::Uploads open_uploads(const Api& api);

/// The labels of the model that is being served; none when there is no model.
std::vector<std::string> known_labels(const Api& api);

/// Whose fault it is that what was sent could not be kept: it can be no good itself, all else is the disk or the
/// database.
Blame blame_for(const Error& error);

/// data::to_json, and where the image can be had: "url".
json::Value with_url(const data::Upload& upload);
json::Value with_urls(const std::vector<data::Upload>& uploads);

}  // namespace imago::serve
