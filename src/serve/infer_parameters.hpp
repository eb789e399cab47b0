// SPDX-License-Identifier: Apache-2.0
// The parameters of an inference in the Open Inference Protocol, which every transport carries as it can.
#pragma once

#include <cstdint>
#include <optional>

#include "base/error.hpp"
#include "infer/waiting_line.hpp"
#include "json/json.hpp"
#include "serve/tensors.hpp"
#include "serve/urgency.hpp"

namespace imago::serve {

/// Of a request.
struct RequestParameters {
  std::optional<bool> binary_output;        ///< outputs as bytes, where they do not say otherwise
  std::int64_t timeout_micros = 0;          ///< 0: says nothing
  std::optional<infer::Priority> priority;  ///< none: says nothing
};

/// `parameters` is an object. `priority` is 1, 2, 3 for high, normal, low, as clients of Triton number them, or one of
/// these words; 0 says nothing. Others than those above mean nothing and are passed over. InvalidArgument naming the
/// parameter that is of a wrong type or beyond its range.
Result<RequestParameters> request_parameters(const json::Value& parameters);

/// Of a wanted output: WantedOutput::classification.
Result<int> classification_of(const json::Value& parameters);

/// Fills in received, deadline and priority; of two timeouts the shorter counts, and the parameter's priority.
void set_urgency(InferRequest& request, SteadyTime received, const Urgency& urgency,
                 const RequestParameters& parameters);

}  // namespace imago::serve
