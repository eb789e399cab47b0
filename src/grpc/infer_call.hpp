// SPDX-License-Identifier: Apache-2.0
// An inference that a call, or a message of a stream, asks for.
#pragma once

#include <functional>
#include <memory>

#include "grpc/call.hpp"
#include "grpc/messages.hpp"

namespace imago::grpc {

/// Answers once, on this thread or another (large messages are read on the core's threads): `answer` is written when
/// the ending is OK. Host, messages and call stay valid until then. Does not ask whether the caller may.
void infer(const serve::OpenInferenceHost& host, const Call& call, const inference::ModelInferRequest& message,
           inference::ModelInferResponse& answer, const std::function<void(Ending)>& done);

}  // namespace imago::grpc
