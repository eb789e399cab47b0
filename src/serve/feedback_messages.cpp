// SPDX-License-Identifier: Apache-2.0
#include "serve/feedback_messages.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "http/multipart.hpp"
#include "serve/negotiate.hpp"
#include "serve/parameters.hpp"
#include "serve/predict_input.hpp"

namespace imago::serve {
namespace {

constexpr std::size_t kMostText = 1000;
constexpr std::size_t kMostImages = 10'000;  // in one request

/// Of a form: the number it stands for, or itself, for the check of the types to say what is wrong.
json::Value as_value(std::string_view key, std::string_view text) {
  constexpr std::array<std::string_view, 3> kNumbers{"index", "model_version", "confidence"};
  if (std::ranges::find(kNumbers, key) == kNumbers.end()) return text;
  auto number = json::parse(text);
  return number && number->is_number() ? *number : json::Value(text);
}

Result<std::string> text_in(const json::Value& body, std::string_view key) {
  TRY(auto text, json::get_or<std::string>(body, key, ""));
  if (text.size() > kMostText)
    return fail(ErrorCode::InvalidArgument, "'{}' has {} bytes, at most {}", key, text.size(), kMostText);
  return text;
}

Result<int> whole_number_in(const json::Value& body, std::string_view key, int otherwise, int least, int most) {
  TRY(const int number, json::get_or<int>(body, key, otherwise));
  const bool given = body.contains(key) && !body[key].is_null();
  if (given && (number < least || number > most))
    return fail(ErrorCode::InvalidArgument, "'{}' is {}: expected {} to {}", key, number, least, most);
  return number;
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<Told> told_from(const json::Value& body) {
  Told told;
  TRY(told.request, text_in(body, "request_id"));
  TRY(told.item, whole_number_in(body, "index", 0, 0, kMostImages));
  TRY(told.label, text_in(body, "label"));
  TRY(told.model, text_in(body, "model"));
  TRY(told.version, whole_number_in(body, "model_version", 0, 1, 1'000'000'000));
  TRY(told.predicted, text_in(body, "prediction"));
  TRY(told.sha256, text_in(body, "sha256"));
  TRY(told.note, text_in(body, "note"));
  TRY(told.filename, text_in(body, "filename"));
  TRY(const auto confidence, json::get_or<double>(body, "confidence", -1.0));
  if (body.contains("confidence") && !body["confidence"].is_null()) {
    if (confidence < 0.0 || confidence > 1.0)
      return fail(ErrorCode::InvalidArgument, "'confidence' is {}: expected 0 to 1", confidence);
    told.confidence = confidence;
  }
  if (told.label.empty()) return fail(ErrorCode::InvalidArgument, "'label' is missing: what the image really shows");
  if (!told.sha256.empty() && !is_sha256(told.sha256))
    return fail(ErrorCode::InvalidArgument, "'sha256' is not 64 lowercase hex digits");
  return told;
}

Result<Told> told_in_json(const http::Request& request) {
  TRY(const auto body, json_body(request));
  TRY(auto told, told_from(body));
  if (!body.contains("image") || body["image"].is_null()) return told;
  if (!body["image"].is_string())
    return fail(ErrorCode::InvalidArgument, "'image' is no string: expected an encoded image in base64");
  TRY(told.owned_image, image_bytes(body["image"].get<std::string>()));
  return told;
}

Result<Told> told_in_form(const http::Request& request) {
  TRY(const auto parts, http::parse_multipart(request.header("Content-Type"), request.body));
  json::Value body = json::Value::object();
  const http::Part* file = nullptr;
  for (const auto& part : parts) {
    if (part.is_file && file != nullptr)
      return fail(ErrorCode::InvalidArgument, "two files, '{}' and '{}': one image at a time", file->filename,
                  part.filename);
    if (part.is_file) file = &part;
    if (!part.is_file) body[part.name] = as_value(part.name, part.data);
  }
  TRY(auto told, told_from(body));
  if (file != nullptr && file->data.empty())
    return fail(ErrorCode::InvalidArgument, "the file '{}' is empty", file->filename);
  if (file == nullptr) return told;
  told.sent_image = file->data;
  if (told.filename.empty()) told.filename = file->filename;
  return told;
}

}  // namespace

Result<Told> told_in(const http::Request& request) {
  const std::string type = media_type(request.header("Content-Type"));
  if (type == "multipart/form-data") return told_in_form(request);
  if (type == "application/json") return told_in_json(request);
  return fail(ErrorCode::Unsupported,
              "Content-Type '{}' is not taken: send application/json, or multipart/form-data with the image as a file",
              type);
}

json::Value to_json(const monitor::Feedback& feedback) {
  const auto text_or_null = [](const std::string& text) { return text.empty() ? json::Value() : json::Value(text); };
  return {{"id", feedback.id},
          {"created", feedback.created},
          {"request_id", text_or_null(feedback.request)},
          {"index", feedback.item},
          {"model", feedback.model},
          {"model_version", feedback.version},
          {"prediction", feedback.predicted},
          {"confidence", feedback.confidence ? json::Value(*feedback.confidence) : json::Value()},
          {"label", feedback.label},
          {"correct", feedback.correct()},
          {"sha256", text_or_null(feedback.sha256)},
          {"upload", text_or_null(feedback.upload)},
          {"note", text_or_null(feedback.note)}};
}

json::Value to_json(const std::vector<monitor::LiveAccuracy>& accuracy) {
  json::Value rows = json::Value::array();
  for (const auto& row : accuracy)
    rows.push_back({{"model", row.model},
                    {"version", row.version},
                    {"count", row.count},
                    {"correct", row.correct},
                    {"accuracy", row.accuracy()}});
  return rows;
}

}  // namespace imago::serve
