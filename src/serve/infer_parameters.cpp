// SPDX-License-Identifier: Apache-2.0
#include "serve/infer_parameters.hpp"

#include <algorithm>
#include <array>

namespace imago::serve {
namespace {

constexpr std::array kPriorities{infer::Priority::High, infer::Priority::Normal, infer::Priority::Low};

Result<std::optional<infer::Priority>> priority_in(const json::Value& parameters) {
  constexpr const char* kWhat = "parameter 'priority'";
  const auto found = parameters.find("priority");
  if (found == parameters.end()) return std::nullopt;
  if (found->is_string()) {
    TRY(const auto named, priority_named(found->get_ref<const std::string&>(), kWhat));
    return named;
  }
  TRY(const auto number, json::get<std::int64_t>(parameters, "priority"));
  if (number == 0) return std::nullopt;
  if (number < 0 || number > std::ssize(kPriorities))
    return fail(ErrorCode::InvalidArgument, "{} is {}, expected 1 (high), 2 (normal) or 3 (low)", kWhat, number);
  return kPriorities[static_cast<std::size_t>(number - 1)];
}

}  // namespace

Result<RequestParameters> request_parameters(const json::Value& parameters) {
  RequestParameters out;
  if (parameters.contains("binary_data_output")) {
    TRY(out.binary_output, json::get<bool>(parameters, "binary_data_output"));
  }
  TRY(out.timeout_micros, json::get_or<std::int64_t>(parameters, "timeout", 0));
  if (out.timeout_micros < 0)
    return fail(ErrorCode::InvalidArgument, "timeout is {} microseconds, expected 0 or more", out.timeout_micros);
  TRY(out.priority, priority_in(parameters));
  return out;
}

Result<int> classification_of(const json::Value& parameters) {
  return json::get_or<int>(parameters, "classification", 0);
}

void set_urgency(InferRequest& request, SteadyTime received, const Urgency& urgency,
                 const RequestParameters& parameters) {
  std::chrono::microseconds timeout = urgency.timeout;
  if (parameters.timeout_micros > 0) timeout = std::min(timeout, std::chrono::microseconds(parameters.timeout_micros));
  request.received = received;
  request.deadline = received + timeout;
  request.priority = parameters.priority.value_or(urgency.priority);
}

}  // namespace imago::serve
