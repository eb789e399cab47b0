// SPDX-License-Identifier: Apache-2.0
#include "serve/open_inference_json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "json/json.hpp"
#include "serve/base64.hpp"
#include "serve/json_members.hpp"
#include "serve/json_writer.hpp"

namespace imago::serve {
namespace {

constexpr std::size_t kMostTensors = 16;  // in a request

using Floats = std::vector<float>;
using Pixels = std::vector<std::uint8_t>;
using Images = std::vector<Encoded>;

/// The tensors after the JSON, in the order of the inputs.
class BinaryPart {
 public:
  explicit BinaryPart(std::string_view bytes) : rest_(bytes) {}
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

  Result<std::string_view> take(std::int64_t size, std::string_view name) {
    if (size < 0 || static_cast<std::uint64_t>(size) > rest_.size())
      return fail(ErrorCode::InvalidArgument, "input '{}': binary_data_size is {}, but {} bytes are left in the body",
                  name, size, rest_.size());
    const auto taken = rest_.substr(0, static_cast<std::size_t>(size));
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view rest_;
};

Result<void> append_images(const json::Value& value, Images& images, std::size_t count, std::string_view name) {
  if (value.is_array()) {
    for (const auto& item : value) TRY_VOID(append_images(item, images, count, name));
    return {};
  }
  if (!value.is_string())
    return fail(ErrorCode::InvalidArgument, "input '{}': an element is {}, not a string of base64", name,
                value.type_name());
  if (images.size() == count)
    return fail(ErrorCode::InvalidArgument, "input '{}' has more than the {} elements of its shape", name, count);
  auto bytes = decode_base64(value.get_ref<const std::string&>());
  if (!bytes) return pass(bytes, fmt::format("input '{}', element {}", name, images.size()));
  images.push_back(Encoded{{}, std::move(*bytes)});
  return {};
}

Result<Images> images_from_json(std::string_view text, std::size_t count, std::string_view name) {
  TRY(const auto value, json::parse(text));
  Images images;
  TRY_VOID(append_images(value, images, count, name));
  if (images.size() != count)
    return fail(ErrorCode::InvalidArgument, "input '{}' has {} elements, expected {}", name, images.size(), count);
  return images;
}

Result<Floats> numbers_from_json(std::string_view text, std::size_t count, std::string_view name) {
  auto parsed = json::parse_numbers(text, count);
  if (!parsed && parsed.error().code == ErrorCode::ResourceExhausted)
    return fail(ErrorCode::InvalidArgument, "input '{}' has more than the {} elements of its shape", name, count);
  if (!parsed) return pass(parsed, fmt::format("input '{}'", name));
  if (parsed->numbers.size() != count)
    return fail(ErrorCode::InvalidArgument, "input '{}' has {} elements, expected {}", name, parsed->numbers.size(),
                count);
  return std::move(parsed->numbers);
}

Result<Pixels> pixels_from_json(std::string_view text, std::size_t count, std::string_view name) {
  TRY(const auto numbers, numbers_from_json(text, count, name));
  Pixels pixels(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const float number = numbers[i];
    if (!(number >= 0.0F && number <= 255.0F) || number != std::floor(number))
      return fail(ErrorCode::InvalidArgument, "input '{}': element {} is {}, not a whole number from 0 to 255", name, i,
                  number);
    pixels[i] = static_cast<std::uint8_t>(number);
  }
  return pixels;
}

/// A tensor as its JSON describes it.
struct Description {
  std::string name, datatype;
  TensorShape shape;
  std::string_view data;  ///< JSON; empty when it is in the binary part
  json::Value parameters = json::Value::object();
};

Result<json::Value> object_from(std::string_view key, std::string_view text) {
  TRY(auto value, json::parse(text));
  if (!value.is_object()) return fail(ErrorCode::InvalidArgument, "'{}' is {}, not an object", key, value.type_name());
  return value;
}

/// The string `key`; InvalidArgument when it is something else.
Result<std::string> string_from(std::string_view key, std::string_view text) {
  TRY(const auto value, json::parse(text));
  if (!value.is_string()) return fail(ErrorCode::InvalidArgument, "'{}' is {}, not a string", key, value.type_name());
  return value.get<std::string>();
}

Result<Description> describe(std::string_view text) {
  TRY(const auto members, json_members(text));
  Description tensor;
  for (const auto& [key, value] : members) {
    if (key == "name") {
      TRY(tensor.name, string_from(key, value));
    } else if (key == "datatype") {
      TRY(tensor.datatype, string_from(key, value));
    } else if (key == "shape") {
      TRY(const auto shape, json::parse(value));
      TRY(tensor.shape, json::get<TensorShape>(json::Value{{"shape", shape}}, "shape"));
    } else if (key == "parameters") {
      TRY(tensor.parameters, object_from(key, value));
    } else if (key == "data") {
      tensor.data = value;
    } else {
      TRY_VOID(json::parse(value));  // not ours, but it must be JSON
    }
  }
  if (tensor.name.empty()) return fail(ErrorCode::InvalidArgument, "a tensor without 'name'");
  return tensor;
}

Result<InferInput> parse_input(std::string_view text, BinaryPart& binary) {
  TRY(const auto tensor, describe(text));
  const std::string_view name = std::string_view(tensor.name).substr(0, 64);
  auto counted = element_count(tensor.shape);
  if (!counted) return pass(counted, fmt::format("input '{}'", name));
  const std::size_t count = *counted;
  const bool is_binary = tensor.parameters.contains("binary_data_size");
  if (is_binary == !tensor.data.empty())
    return fail(
        ErrorCode::InvalidArgument, "input '{}' has {}", name,
        is_binary ? "both 'data' and binary_data_size: one of them is wanted" : "no 'data' and no binary_data_size");
  std::string_view bytes;
  if (is_binary) {
    TRY(const auto size, json::get<std::int64_t>(tensor.parameters, "binary_data_size"));
    TRY(bytes, binary.take(size, name));
  }
  InferInput input{.name = tensor.name, .shape = tensor.shape, .data = {}};
  if (tensor.datatype == "FP32") {
    TRY(input.data, is_binary ? copy_elements<float>(bytes, count, name) : numbers_from_json(tensor.data, count, name));
  } else if (tensor.datatype == "UINT8") {
    TRY(input.data,
        is_binary ? copy_elements<std::uint8_t>(bytes, count, name) : pixels_from_json(tensor.data, count, name));
  } else if (tensor.datatype == "BYTES") {
    TRY(input.data, is_binary ? split_elements(bytes, count, name) : images_from_json(tensor.data, count, name));
  } else {
    return fail(ErrorCode::InvalidArgument, "input '{}' has datatype '{}': BYTES, UINT8 and FP32 are taken", name,
                tensor.datatype.substr(0, 64));
  }
  return input;
}

Result<void> parse_output(std::string_view text, RestInference& out) {
  TRY(const auto tensor, describe(text));
  TRY(const int classification, classification_of(tensor.parameters));
  TRY(const bool binary, json::get_or<bool>(tensor.parameters, "binary_data", out.otherwise_binary()));
  out.request.outputs.push_back({.name = tensor.name, .classification = classification});
  out.binary.push_back(binary);
  return {};
}

/// How many bytes of the body are JSON.
Result<std::size_t> json_size(std::string_view body, std::string_view json_length) {
  if (json_length.empty()) return body.size();
  std::size_t size = 0;
  const char* end = json_length.data() + json_length.size();
  const auto parsed = std::from_chars(json_length.data(), end, size);
  if (parsed.ec != std::errc{} || parsed.ptr != end || size > body.size())
    return fail(ErrorCode::InvalidArgument, "{} is '{}', expected a number up to the {} bytes of the body",
                kJsonLengthHeader, json_length.substr(0, 64), body.size());
  return size;
}

void append_json(std::string& out, const InferOutput& output) {
  out += '[';
  bool first = true;
  const auto separate = [&] {
    if (!std::exchange(first, false)) out += ',';
  };
  if (const auto* floats = std::get_if<Floats>(&output.data)) {
    for (const float number : *floats) {
      separate();
      append_json_number(out, number);
    }
  } else {
    for (const auto& text : std::get<std::vector<std::string>>(output.data)) {
      separate();
      append_json_string(out, text);
    }
  }
  out += ']';
}

/// One output's object onto the end of `json`, its bytes onto `tail` when it is binary.
void write_output(std::string& json, std::string& tail, const InferOutput& output, bool binary) {
  JsonWriter writer(json);
  writer.begin();
  writer.field("name", output.name);
  writer.field("datatype", std::holds_alternative<Floats>(output.data) ? "FP32" : "BYTES");
  writer.raw("shape", to_string(output.shape));
  if (binary) {
    const std::size_t before = tail.size();
    append_elements(tail, output);
    writer.raw("parameters", fmt::format("{{\"binary_data_size\":{}}}", tail.size() - before));
  } else {
    append_json(writer.key("data"), output);
  }
  writer.end();
}

}  // namespace

Result<RestInference> parse_inference(std::string_view body, std::string_view json_length) {
  RestInference out;
  TRY(const auto size, json_size(body, json_length));
  if (!json_length.empty() && size == 0) {
    out.request.inputs.push_back({.name = "image", .shape = {1}, .data = Images{Encoded{body, {}}}});
    return out;
  }
  BinaryPart binary(body.substr(size));
  TRY(const auto members, json_members(body.substr(0, size)));
  std::string_view inputs, outputs;
  for (const auto& [key, value] : members) {
    if (key == "id") {
      TRY(out.request.id, string_from(key, value));
    } else if (key == "parameters") {
      TRY(const auto parameters, object_from(key, value));
      TRY(out.parameters, request_parameters(parameters));
    } else if (key == "inputs") {
      inputs = value;
    } else if (key == "outputs") {
      outputs = value;
    } else {
      TRY_VOID(json::parse(value));  // not ours, but it must be JSON
    }
  }
  if (inputs.empty()) return fail(ErrorCode::InvalidArgument, "the JSON has no 'inputs'");
  TRY(const auto input_items, json_items(inputs, kMostTensors));
  for (const auto item : input_items) {
    TRY(auto input, parse_input(item, binary));
    out.request.inputs.push_back(std::move(input));
  }
  if (binary.left() > 0)
    return fail(ErrorCode::InvalidArgument, "the body has {} bytes more than its tensors", binary.left());
  if (outputs.empty()) return out;
  TRY(const auto output_items, json_items(outputs, kMostTensors));
  for (const auto item : output_items) TRY_VOID(parse_output(item, out));
  return out;
}

http::Response format_inference(const InferResponse& response, const RestInference& asked) {
  http::Response reply;
  std::string tail;
  bool any_binary = false;
  JsonWriter json(reply.body);
  json.begin();
  json.field("model_name", response.model);
  json.field("model_version", std::to_string(response.version));
  if (!response.id.empty()) json.field("id", response.id);
  std::string& out = json.key("outputs");
  out += '[';
  for (std::size_t i = 0; i < response.outputs.size(); ++i) {
    const bool binary = asked.binary.empty() ? asked.otherwise_binary() : asked.binary[i];
    if (i > 0) out += ',';
    write_output(out, tail, response.outputs[i], binary);
    any_binary = any_binary || binary;
  }
  out += ']';
  json.end();
  reply.headers["Content-Type"] = any_binary ? "application/octet-stream" : "application/json";
  if (any_binary) reply.headers[kJsonLengthHeader] = std::to_string(reply.body.size());
  reply.body += tail;
  return reply;
}

}  // namespace imago::serve
