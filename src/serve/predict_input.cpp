// SPDX-License-Identifier: Apache-2.0
#include "serve/predict_input.hpp"

#include <array>

#include "base/files.hpp"
#include "json/json.hpp"
#include "serve/base64.hpp"
#include "serve/http_status.hpp"
#include "serve/json_members.hpp"
#include "serve/negotiate.hpp"
#include "serve/pixels.hpp"

namespace imago::serve {
namespace {

constexpr std::array<std::string_view, 5> kPartNames{"file", "image", "data", "files", "files[]"};

Result<PredictInput> from_form(const http::Request& request) {
  TRY(const auto parts, http::parse_multipart(request.header("Content-Type"), request.body));
  const http::Part* chosen = nullptr;
  std::size_t best = kPartNames.size() + 1;
  for (const auto& part : parts) {
    if (!part.is_file) continue;
    const auto rank = static_cast<std::size_t>(std::ranges::find(kPartNames, part.name) - kPartNames.begin());
    if (rank < best) {
      best = rank;
      chosen = &part;
    }
  }
  if (chosen == nullptr) {
    return fail(ErrorCode::InvalidArgument,
                "no file among the {} parts of the form: send the image as a file part named 'file'", parts.size());
  }
  if (chosen->data.empty()) return fail(ErrorCode::InvalidArgument, "the file '{}' is empty", chosen->filename);
  return PredictInput{Encoded{chosen->data, {}}, chosen->filename};
}

Result<PredictInput> from_body(const http::Request& request) {
  if (request.body.empty()) {
    return fail(ErrorCode::InvalidArgument,
                "the request has no body: send an image file as form part 'file', as the body, or in JSON as 'image'");
  }
  return PredictInput{Encoded{request.body, {}}, std::nullopt};
}

Result<std::string> text_of(std::string_view key, std::string_view value) {
  TRY(const auto parsed, json::parse(value));
  if (parsed.is_number_integer()) return json::dump(parsed);  // "range": 255
  if (parsed.is_null()) return std::string();
  if (!parsed.is_string()) return fail(ErrorCode::InvalidArgument, "'{}' is not a string", key);
  return parsed.get<std::string>();
}

Result<Encoded> from_base64(std::string_view value) {
  TRY(const std::string text, text_of("image", value));
  std::string_view encoded = text;
  if (encoded.starts_with("data:")) {
    const auto comma = encoded.find(',');
    if (comma == std::string_view::npos || !encoded.substr(0, comma).ends_with(";base64")) {
      return fail(ErrorCode::InvalidArgument, "'image' is a data: URL, but not one with ;base64,");
    }
    encoded.remove_prefix(comma + 1);
  }
  auto bytes = decode_base64(encoded);
  if (!bytes) return pass(bytes, "'image'");
  if (bytes->empty()) return fail(ErrorCode::InvalidArgument, "'image' is an empty string");
  return Encoded{{}, std::move(*bytes)};
}

Result<PredictInput> from_json(const http::Request& request, const image::Preprocess& preprocess) {
  TRY(const auto members, json_members(request.body));
  std::string_view image;
  std::string layout, range;
  PredictInput input;
  for (const auto& [key, value] : members) {
    if (key == "image") {
      image = value;
    } else if (key == "layout") {
      TRY(layout, text_of(key, value));
    } else if (key == "range") {
      TRY(range, text_of(key, value));
    } else if (key == "filename") {
      TRY(input.filename, text_of(key, value));
    } else {
      TRY_VOID(json::parse(value));  // not ours, but it must be JSON
    }
  }
  if (image.empty()) {
    return fail(ErrorCode::InvalidArgument, "the JSON has no 'image': send {} numbers, nested arrays or base64",
                preprocess.width * preprocess.height * 3);
  }
  TRY(const Layout wanted_layout, layout_from(layout));
  TRY(const Range wanted_range, range_from(range));
  if (image.front() == '"') {
    TRY(input.image, from_base64(image));
  } else if (image.front() == '[') {
    TRY(input.image, image_from_numbers(image, wanted_layout, wanted_range, preprocess));
  } else {
    return fail(ErrorCode::InvalidArgument, "'image' is neither an array nor a string");
  }
  return input;
}

}  // namespace

Bytes Encoded::bytes() const { return as_bytes(owned.empty() ? in_body : std::string_view(owned)); }

tl::expected<PredictInput, InputError> find_image(const http::Request& request, const image::Preprocess& preprocess) {
  const std::string type = media_type(request.header("Content-Type"));
  Result<PredictInput> input;
  if (type == "multipart/form-data") {
    input = from_form(request);
  } else if (type.empty() || type.starts_with("image/") || type == "application/octet-stream") {
    input = from_body(request);
  } else if (type == "application/json" || type.ends_with("+json")) {
    input = from_json(request, preprocess);
  } else {
    return tl::unexpected(InputError{
        415,
        {ErrorCode::Unsupported,
         fmt::format("Content-Type '{}' is not taken: send multipart/form-data (curl -F file=@cat.jpg), image/*, "
                     "application/octet-stream or application/json",
                     type)}});
  }
  if (!input) {
    const int status = http_status(input.error().code, Blame::Request);
    return tl::unexpected(InputError{status, std::move(input.error())});
  }
  return std::move(*input);
}

}  // namespace imago::serve
