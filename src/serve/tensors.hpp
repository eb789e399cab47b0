// SPDX-License-Identifier: Apache-2.0
// What goes into an inference of the Open Inference Protocol and what comes out, without a transport.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "infer/waiting_line.hpp"
#include "serve/predict_input.hpp"

namespace imago::serve {

using TensorShape = std::vector<std::int64_t>;

/// The product; at most 2^31. InvalidArgument for more than 8 dimensions, a negative one, or more elements.
Result<std::size_t> element_count(const TensorShape& shape);
/// "[1, 3, 32, 32]".
std::string to_string(const TensorShape& shape);

/// The elements of FP32 or UINT8 tensors as raw bytes have them, little endian: T is float or std::uint8_t.
/// InvalidArgument, naming the input, when the bytes are not those of `count` elements.
template <class T>
Result<std::vector<T>> copy_elements(std::string_view bytes, std::size_t count, std::string_view name);
/// The elements of a BYTES tensor, each behind its length in 4 bytes; they look into `bytes`.
Result<std::vector<Encoded>> split_elements(std::string_view bytes, std::size_t count, std::string_view name);

struct InferInput {
  std::string name;
  TensorShape shape;
  /// FP32, UINT8 or BYTES, as many as the shape says.
  std::variant<std::vector<float>, std::vector<std::uint8_t>, std::vector<Encoded>> data;
};

struct WantedOutput {
  std::string name;
  int classification = 0;  ///< above 0: the likeliest so many classes, as "probability:index:label", BYTES [n, k]
};

struct InferRequest {
  std::string model;
  std::optional<int> version;  ///< none: the default
  std::string id;              ///< comes back
  std::vector<InferInput> inputs;
  std::vector<WantedOutput> outputs;  ///< none: all there are
  SteadyTime received;
  SteadyTime deadline;
  infer::Priority priority = infer::Priority::Normal;
};

struct InferOutput {
  std::string name;
  TensorShape shape;
  std::variant<std::vector<float>, std::vector<std::string>> data;  ///< FP32 or BYTES
};

/// The same bytes for an output, onto the end of `out`.
void append_elements(std::string& out, const InferOutput& output);

struct InferResponse {
  std::string model;
  int version = 0;
  std::string id;
  std::vector<InferOutput> outputs;
};

}  // namespace imago::serve
