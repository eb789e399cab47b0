// SPDX-License-Identifier: Apache-2.0
#include "grpc/messages.hpp"

#include "serve/parameters.hpp"

namespace imago::grpc {
namespace {

using InputTensor = inference::ModelInferRequest::InferInputTensor;
using Parameters = google::protobuf::Map<std::string, inference::InferParameter>;
using serve::Encoded;

constexpr int kMostTensors = 16;        // in a request
constexpr std::size_t kMostShown = 64;  // characters of what a client sent
constexpr std::uint32_t kMostUint8 = 255;

json::Value value_of(const inference::InferParameter& parameter) {
  switch (parameter.parameter_choice_case()) {
    case inference::InferParameter::kBoolParam: return parameter.bool_param();
    case inference::InferParameter::kInt64Param: return parameter.int64_param();
    case inference::InferParameter::kStringParam: return parameter.string_param();
    case inference::InferParameter::kDoubleParam: return parameter.double_param();
    case inference::InferParameter::kUint64Param: return parameter.uint64_param();
    case inference::InferParameter::PARAMETER_CHOICE_NOT_SET: break;
  }
  return {};
}

/// Of parameters that clients may send any number of, those that mean something here.
json::Value known_of(const Parameters& parameters, std::initializer_list<const char*> known) {
  json::Value object = json::Value::object();
  for (const char* name : known) {
    if (const auto found = parameters.find(name); found != parameters.end()) object[name] = value_of(found->second);
  }
  return object;
}

tl::unexpected<Error> misplaced(std::string_view name, std::string_view datatype, std::string_view field) {
  return fail(ErrorCode::InvalidArgument, "input '{}' is {}: its elements belong in {}, or in raw_input_contents", name,
              datatype, field);
}

/// From the fields of `contents`; how many there are is held against the shape later.
Result<void> read_typed(const InputTensor& tensor, std::string_view name, serve::InferInput& input) {
  const auto& contents = tensor.contents();
  const std::string& type = tensor.datatype();
  if (type == "FP32") {
    const auto& floats = contents.fp32_contents();
    if (floats.empty()) return misplaced(name, type, "fp32_contents");
    input.data = std::vector<float>(floats.begin(), floats.end());
    return {};
  }
  if (type == "UINT8") {
    const auto& numbers = contents.uint_contents();
    if (numbers.empty()) return misplaced(name, type, "uint_contents");
    std::vector<std::uint8_t> bytes;
    bytes.reserve(static_cast<std::size_t>(numbers.size()));
    for (const std::uint32_t number : numbers) {
      if (number > kMostUint8)
        return fail(ErrorCode::InvalidArgument, "input '{}': element {} is {}, not from 0 to 255", name, bytes.size(),
                    number);
      bytes.push_back(static_cast<std::uint8_t>(number));
    }
    input.data = std::move(bytes);
    return {};
  }
  const auto& elements = contents.bytes_contents();
  if (elements.empty()) return misplaced(name, type, "bytes_contents");
  std::vector<Encoded> images;
  images.reserve(static_cast<std::size_t>(elements.size()));
  for (const auto& element : elements) images.push_back(Encoded{element, {}});
  input.data = std::move(images);
  return {};
}

Result<void> read_raw(const InputTensor& tensor, std::string_view name, std::string_view bytes, std::size_t count,
                      serve::InferInput& input) {
  if (tensor.datatype() == "FP32") {
    TRY(input.data, serve::copy_elements<float>(bytes, count, name));
  } else if (tensor.datatype() == "UINT8") {
    TRY(input.data, serve::copy_elements<std::uint8_t>(bytes, count, name));
  } else {
    TRY(input.data, serve::split_elements(bytes, count, name));
  }
  return {};
}

/// @param raw  the tensor's element of raw_input_contents; null when the message has none.
Result<serve::InferInput> read_input(const InputTensor& tensor, const std::string* raw) {
  const std::string_view name = std::string_view(tensor.name()).substr(0, kMostShown);
  const std::string& type = tensor.datatype();
  if (tensor.parameters().contains("shared_memory_region"))
    return fail(ErrorCode::Unsupported, "input '{}' is in shared memory, which is not taken: send its bytes", name);
  if (type != "FP32" && type != "UINT8" && type != "BYTES")
    return fail(ErrorCode::InvalidArgument, "input '{}' has datatype '{}': BYTES, UINT8 and FP32 are taken", name,
                type.substr(0, kMostShown));
  serve::InferInput input{.name = tensor.name(), .shape = {tensor.shape().begin(), tensor.shape().end()}, .data = {}};
  auto count = serve::element_count(input.shape);
  if (!count) return pass(count, fmt::format("input '{}'", name));
  if (raw == nullptr) {
    TRY_VOID(read_typed(tensor, name, input));
    return input;
  }
  if (tensor.has_contents())
    return fail(ErrorCode::InvalidArgument,
                "input '{}' has both contents and raw_input_contents: one of them is wanted", name);
  TRY_VOID(read_raw(tensor, name, *raw, *count, input));
  return input;
}

Result<void> read_inputs(const inference::ModelInferRequest& message, std::vector<serve::InferInput>& inputs) {
  const int raw = message.raw_input_contents_size();
  if (message.inputs_size() > kMostTensors)
    return fail(ErrorCode::InvalidArgument, "{} inputs, at most {}", message.inputs_size(), kMostTensors);
  if (raw != 0 && raw != message.inputs_size())
    return fail(ErrorCode::InvalidArgument, "raw_input_contents has {} elements for {} inputs", raw,
                message.inputs_size());
  for (int i = 0; i < message.inputs_size(); ++i) {
    TRY(auto input, read_input(message.inputs(i), raw == 0 ? nullptr : &message.raw_input_contents(i)));
    inputs.push_back(std::move(input));
  }
  return {};
}

Result<void> read_outputs(const inference::ModelInferRequest& message, std::vector<serve::WantedOutput>& outputs) {
  if (message.outputs_size() > kMostTensors)
    return fail(ErrorCode::InvalidArgument, "{} outputs, at most {}", message.outputs_size(), kMostTensors);
  for (const auto& output : message.outputs()) {
    if (output.parameters().contains("shared_memory_region"))
      return fail(ErrorCode::Unsupported, "output '{}' is wanted in shared memory, which is not done",
                  output.name().substr(0, kMostShown));
    TRY(const int classification, serve::classification_of(known_of(output.parameters(), {"classification"})));
    outputs.push_back({.name = output.name(), .classification = classification});
  }
  return {};
}

inference::DataType config_type(std::string_view datatype) {
  return datatype == "FP32"    ? inference::TYPE_FP32
         : datatype == "UINT8" ? inference::TYPE_UINT8
                               : inference::TYPE_STRING;
}

void write_duration(const serve::ModelStatistics::Duration& duration, inference::StatisticDuration& message) {
  message.set_count(static_cast<std::uint64_t>(duration.count));
  message.set_ns(static_cast<std::uint64_t>(duration.time.count()));
}

}  // namespace

Result<Inference> read_inference(const inference::ModelInferRequest& message) {
  Inference inference;
  TRY(inference.parameters,
      serve::request_parameters(known_of(message.parameters(), {"binary_data_output", "timeout", "priority"})));
  inference.raw = inference.parameters.binary_output.value_or(message.raw_input_contents_size() > 0);
  inference.request.model = message.model_name();
  TRY(inference.request.version, read_version(message.model_version()));
  inference.request.id = message.id();
  TRY_VOID(read_inputs(message, inference.request.inputs));
  TRY_VOID(read_outputs(message, inference.request.outputs));
  return inference;
}

void write_inference(const serve::InferResponse& response, bool raw, inference::ModelInferResponse& message) {
  message.set_model_name(response.model);
  message.set_model_version(std::to_string(response.version));
  message.set_id(response.id);
  for (const auto& output : response.outputs) {
    auto& tensor = *message.add_outputs();
    const auto* floats = std::get_if<std::vector<float>>(&output.data);
    tensor.set_name(output.name);
    tensor.set_datatype(floats != nullptr ? "FP32" : "BYTES");
    tensor.mutable_shape()->Assign(output.shape.begin(), output.shape.end());
    if (raw) {
      serve::append_elements(*message.add_raw_output_contents(), output);
    } else if (floats != nullptr) {
      tensor.mutable_contents()->mutable_fp32_contents()->Assign(floats->begin(), floats->end());
    } else {
      for (const auto& text : std::get<std::vector<std::string>>(output.data))
        tensor.mutable_contents()->add_bytes_contents(text);
    }
  }
}

Result<std::optional<int>> read_version(const std::string& text) {
  if (text.empty()) return std::nullopt;
  TRY(const int version, serve::version_number(text));
  return version;
}

json::Value read_parameters(const google::protobuf::Map<std::string, inference::ModelRepositoryParameter>& parameters) {
  json::Value object = json::Value::object();
  for (const auto& [name, parameter] : parameters) {
    switch (parameter.parameter_choice_case()) {
      case inference::ModelRepositoryParameter::kBoolParam: object[name] = parameter.bool_param(); break;
      case inference::ModelRepositoryParameter::kInt64Param: object[name] = parameter.int64_param(); break;
      case inference::ModelRepositoryParameter::kStringParam: object[name] = parameter.string_param(); break;
      case inference::ModelRepositoryParameter::kBytesParam: object[name] = parameter.bytes_param(); break;
      case inference::ModelRepositoryParameter::PARAMETER_CHOICE_NOT_SET: object[name] = nullptr; break;
    }
  }
  return object;
}

void write_metadata(const serve::ModelInfo& info, inference::ModelMetadataResponse& message) {
  message.set_name(info.name);
  for (const int version : info.versions) message.add_versions(std::to_string(version));
  message.set_platform(serve::kPlatform);
  const auto write = [](const serve::TensorInfo& tensor, inference::ModelMetadataResponse::TensorMetadata& out) {
    out.set_name(std::string(tensor.name));
    out.set_datatype(std::string(tensor.datatype));
    out.mutable_shape()->Assign(tensor.shape.begin(), tensor.shape.end());
  };
  for (const auto& input : info.inputs) write(input, *message.add_inputs());
  for (const auto& output : info.outputs) write(output, *message.add_outputs());
}

void write_config(const serve::ModelInfo& info, inference::ModelConfig& message) {
  message.set_name(info.name);
  message.set_platform(serve::kPlatform);
  message.set_backend("openvino");
  message.mutable_dynamic_batching();
  const auto write = [](const serve::TensorInfo& tensor, auto& out) {
    out.set_name(std::string(tensor.name));
    out.set_data_type(config_type(tensor.datatype));
    out.mutable_dims()->Assign(tensor.shape.begin(), tensor.shape.end());
  };
  for (const auto& tensor : info.inputs) {
    auto& input = *message.add_input();
    write(tensor, input);
    input.set_optional(true);  // exactly one of them is sent
  }
  for (const auto& output : info.outputs) write(output, *message.add_output());
}

void write_statistics(const std::vector<serve::ModelStatistics>& models, inference::ModelStatisticsResponse& message) {
  for (const auto& model : models) {
    auto& out = *message.add_model_stats();
    out.set_name(model.name);
    out.set_version(std::to_string(model.version));
    const auto last = std::chrono::duration_cast<std::chrono::milliseconds>(model.last.time_since_epoch());
    out.set_last_inference(static_cast<std::uint64_t>(last.count()));
    out.set_inference_count(static_cast<std::uint64_t>(model.inferences));
    out.set_execution_count(static_cast<std::uint64_t>(model.executions));
    auto& statistics = *out.mutable_inference_stats();
    write_duration(model.success, *statistics.mutable_success());
    write_duration(model.failure, *statistics.mutable_fail());
    write_duration(model.queue, *statistics.mutable_queue());
    write_duration(model.input, *statistics.mutable_compute_input());
    write_duration(model.infer, *statistics.mutable_compute_infer());
    write_duration(model.output, *statistics.mutable_compute_output());
    statistics.mutable_cache_hit();
    statistics.mutable_cache_miss();
    for (const auto& batches : model.batches) {
      auto& batch = *out.add_batch_stats();
      batch.set_batch_size(static_cast<std::uint64_t>(batches.size));
      write_duration(batches.input, *batch.mutable_compute_input());
      write_duration(batches.infer, *batch.mutable_compute_infer());
      write_duration(batches.output, *batch.mutable_compute_output());
    }
  }
}

void write_repository(const std::vector<serve::RepositoryRow>& rows, inference::RepositoryIndexResponse& message) {
  for (const auto& row : rows) {
    auto& model = *message.add_models();
    model.set_name(row.name);
    model.set_version(row.version);
    model.set_state(std::string(row.state));
    model.set_reason(row.reason);
  }
}

}  // namespace imago::grpc
