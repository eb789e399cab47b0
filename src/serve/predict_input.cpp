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

constexpr std::size_t kMostItems = 100'000;  // of a JSON array, so that it can be said how many there are

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
  TRY(auto bytes, image_bytes(text));
  return Encoded{{}, std::move(bytes)};
}

/// How numbers are to be read.
struct Reading {
  Layout layout = Layout::Auto;
  Range range = Range::Auto;
};

Result<std::variant<Encoded, image::Image>> image_in(std::string_view value, Reading reading,
                                                     const image::Preprocess& preprocess) {
  if (value.front() == '"') {
    TRY(auto encoded, from_base64(value));
    return encoded;
  }
  if (value.front() != '[') return fail(ErrorCode::InvalidArgument, "'image' is neither an array nor a string");
  TRY(auto image, image_from_numbers(value, reading.layout, reading.range, preprocess));
  return image;
}

/// The members of a JSON object that tell of images; what is not there is empty.
struct ImageMembers {
  std::string_view image, images;
  std::optional<std::string> filename;
  Reading reading;
};

Result<ImageMembers> image_members(std::string_view object, Reading reading = {}) {
  TRY(const auto members, json_members(object));
  ImageMembers found{.image = {}, .images = {}, .filename = {}, .reading = reading};
  for (const auto& [key, value] : members) {
    if (key == "image") {
      found.image = value;
    } else if (key == "images") {
      found.images = value;
    } else if (key == "layout") {
      TRY(const auto layout, text_of(key, value));
      TRY(found.reading.layout, layout_from(layout));
    } else if (key == "range") {
      TRY(const auto range, text_of(key, value));
      TRY(found.reading.range, range_from(range));
    } else if (key == "filename") {
      TRY(found.filename, text_of(key, value));
    } else {
      TRY_VOID(json::parse(value));  // not ours, but it must be JSON
    }
  }
  return found;
}

Result<PredictInput> from_members(ImageMembers members, const image::Preprocess& preprocess) {
  if (members.image.empty()) {
    return fail(ErrorCode::InvalidArgument, "the JSON has no 'image': send {} numbers, nested arrays or base64",
                preprocess.width * preprocess.height * 3);
  }
  PredictInput input{.image = {}, .filename = std::move(members.filename)};
  TRY(input.image, image_in(members.image, members.reading, preprocess));
  return input;
}

Result<PredictInput> from_json(const http::Request& request, const image::Preprocess& preprocess) {
  TRY(auto members, image_members(request.body));
  if (!members.images.empty()) TRY_VOID(json::parse(members.images));
  return from_members(std::move(members), preprocess);
}

OneOfMany one_from_json(std::string_view item, Reading reading, const image::Preprocess& preprocess) {
  if (!item.starts_with('{')) {
    auto image = image_in(item, reading, preprocess);
    if (!image) return {std::nullopt, pass(image)};
    return {std::nullopt, PredictInput{std::move(*image), std::nullopt}};
  }
  auto members = image_members(item, reading);
  if (!members) return {std::nullopt, pass(members)};
  auto filename = members->filename;
  return {std::move(filename), from_members(std::move(*members), preprocess)};
}

Result<void> check_count(std::size_t images, std::size_t most) {
  if (images > most) return fail(ErrorCode::ResourceExhausted, "{} images in one request, at most {}", images, most);
  return {};
}

Result<std::vector<OneOfMany>> many_from_json(const http::Request& request, const image::Preprocess& preprocess,
                                              std::size_t most) {
  TRY(const auto members, image_members(request.body));
  if (!members.images.starts_with('['))
    return fail(ErrorCode::InvalidArgument,
                R"(expected {{"images": [...]}} with an array of base64, numbers or objects with 'image')");
  if (!members.image.empty()) TRY_VOID(json::parse(members.image));
  TRY(const auto items, json_items(members.images, kMostItems));
  if (items.empty()) return fail(ErrorCode::InvalidArgument, "'images' is empty");
  TRY_VOID(check_count(items.size(), most));
  std::vector<OneOfMany> images;
  for (const auto item : items) images.push_back(one_from_json(item, members.reading, preprocess));
  return images;
}

Result<std::vector<OneOfMany>> many_from_form(const http::Request& request, std::size_t most) {
  TRY(const auto parts, http::parse_multipart(request.header("Content-Type"), request.body));
  std::vector<OneOfMany> images;
  for (const auto& part : parts) {
    if (!part.is_file) continue;
    if (part.data.empty()) {
      images.push_back({part.filename, fail(ErrorCode::InvalidArgument, "the file '{}' is empty", part.filename)});
    } else {
      images.push_back({part.filename, PredictInput{Encoded{part.data, {}}, part.filename}});
    }
  }
  if (images.empty())
    return fail(ErrorCode::InvalidArgument, "no file among the {} parts of the form: send the images as file parts",
                parts.size());
  TRY_VOID(check_count(images.size(), most));
  return images;
}

bool is_json(std::string_view type) { return type == "application/json" || type.ends_with("+json"); }

InputError not_taken(std::string_view type, std::string_view taken) {
  return {415, {ErrorCode::Unsupported, fmt::format("Content-Type '{}' is not taken: send {}", type, taken)}};
}

template <class T>
tl::expected<T, InputError> with_status(Result<T> input) {
  if (input) return std::move(*input);
  const int status = http_status(input.error().code, Blame::Request);
  return tl::unexpected(InputError{status, std::move(input.error())});
}

}  // namespace

Result<std::string> image_bytes(std::string_view text) {
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
  return bytes;
}

Bytes Encoded::bytes() const { return as_bytes(owned.empty() ? in_body : std::string_view(owned)); }

tl::expected<PredictInput, InputError> find_image(const http::Request& request, const image::Preprocess& preprocess) {
  const std::string type = media_type(request.header("Content-Type"));
  if (type == "multipart/form-data") return with_status(from_form(request));
  if (type.empty() || type.starts_with("image/") || type == "application/octet-stream")
    return with_status(from_body(request));
  if (is_json(type)) return with_status(from_json(request, preprocess));
  return tl::unexpected(not_taken(
      type, "multipart/form-data (curl -F file=@cat.jpg), image/*, application/octet-stream or application/json"));
}

tl::expected<std::vector<OneOfMany>, InputError> find_images(const http::Request& request,
                                                             const image::Preprocess& preprocess, std::size_t most) {
  const std::string type = media_type(request.header("Content-Type"));
  if (type == "multipart/form-data") return with_status(many_from_form(request, most));
  if (is_json(type)) return with_status(many_from_json(request, preprocess, most));
  return tl::unexpected(
      not_taken(type, "multipart/form-data (curl -F file=@1.jpg -F file=@2.jpg) or application/json"));
}

}  // namespace imago::serve
