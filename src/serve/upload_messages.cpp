// SPDX-License-Identifier: Apache-2.0
#include "serve/upload_messages.hpp"

#include "data/upload_json.hpp"
#include "serve/negotiate.hpp"

namespace imago::serve {
namespace {

using data::IncomingFile;

constexpr std::size_t kMaxParts = 2 * data::kMaxUploadFiles + 16;  // a label for each file, and then some

struct LabelFields {
  std::vector<std::string> values;
  bool may_be_list = false;  // a single field of a name in the plural
};

/// "a,b" or ["a","b"].
Result<std::vector<std::string>> split_list(const std::string& text) {
  std::vector<std::string> labels;
  if (text.starts_with('[')) {
    const auto parsed = json::parse(text);
    if (!parsed || !parsed->is_array()) return fail(ErrorCode::InvalidArgument, "'labels' is no JSON array");
    for (const auto& label : *parsed) {
      if (!label.is_string()) return fail(ErrorCode::InvalidArgument, "'labels' is not an array of strings");
      labels.push_back(label.get<std::string>());
    }
    return labels;
  }
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find(',', start), text.size());
    labels.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return labels;
}

/// Gives each file its label: the only one to all, or one to each.
Result<void> apply_labels(std::vector<IncomingFile>& files, LabelFields fields) {
  if (fields.values.empty()) return {};
  if (fields.values.size() == 1 && fields.may_be_list &&
      (fields.values[0].starts_with('[') || (files.size() > 1 && fields.values[0].find(',') != std::string::npos))) {
    TRY(fields.values, split_list(fields.values[0]));
  }
  if (fields.values.size() != 1 && fields.values.size() != files.size())
    return fail(ErrorCode::InvalidArgument, "{} labels for {} files: send one for all, or one for each in their order",
                fields.values.size(), files.size());
  for (std::size_t i = 0; i < files.size(); ++i) files[i].label = fields.values[fields.values.size() == 1 ? 0 : i];
  return {};
}

Result<std::vector<IncomingFile>> from_form(const http::Request& request) {
  TRY(const auto parts, http::parse_multipart(request.header("Content-Type"), request.body, kMaxParts));
  std::vector<IncomingFile> files;
  LabelFields fields;
  for (const auto& part : parts) {
    const bool plural = part.name == "labels" || part.name == "labels[]";
    if (part.is_file) {
      const bool none_chosen = part.filename.empty() && part.data.empty();  // a browser's empty file field
      if (!none_chosen) files.push_back({part.filename, {}, part.data});
    } else if (plural || part.name == "label" || part.name == "class_name") {
      fields.values.emplace_back(part.data);
      fields.may_be_list = plural;
    }
  }
  if (files.empty())
    return fail(ErrorCode::InvalidArgument,
                "no file among the {} parts of the form: curl -F file=@cat.jpg -F label=cat", parts.size());
  TRY_VOID(apply_labels(files, std::move(fields)));
  return files;
}

Result<std::vector<IncomingFile>> from_body(const http::Request& request) {
  if (request.body.empty())
    return fail(
        ErrorCode::InvalidArgument,
        "the request has no body: send images, archives or .npz as a form (curl -F file=@cat.jpg -F label=cat), "
        "or one as the body");
  auto label = request.parameter("label");
  if (label.empty()) label = request.parameter("class_name");
  return std::vector<IncomingFile>{{std::string(request.parameter("name")), std::string(label), request.body}};
}

}  // namespace

Result<std::vector<IncomingFile>> incoming_files(const http::Request& request) {
  const auto type = media_type(request.header("Content-Type"));
  if (type == "multipart/form-data") return from_form(request);
  if (type == "application/json" || type.ends_with("+json"))
    return fail(ErrorCode::Unsupported,
                "Content-Type '{}' is not taken: send multipart/form-data, or a file as the body", type);
  return from_body(request);
}

data::Uploads open_uploads(const Api& api) { return {*api.backend.database, api.backend.workspace / "uploads"}; }

std::vector<std::string> known_labels(const Api& api) {
  const auto model = api.current();
  return model ? model->face()->spec.labels : std::vector<std::string>();
}

Blame blame_for(const Error& error) {
  return error.code == ErrorCode::InvalidArgument || error.code == ErrorCode::NotFound ? Blame::Request
                                                                                       : Blame::Service;
}

json::Value with_url(const data::Upload& upload) {
  auto value = data::to_json(upload);
  value["url"] = "/v1/uploads/" + upload.id;
  return value;
}

json::Value with_urls(const std::vector<data::Upload>& uploads) {
  auto list = json::Value::array();
  for (const auto& upload : uploads) list.push_back(with_url(upload));
  return list;
}

}  // namespace imago::serve
