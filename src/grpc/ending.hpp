// SPDX-License-Identifier: Apache-2.0
// How a call ends: for its client a status of gRPC, for the counts and the access log the status that HTTP would give.
#pragma once

#include <grpcpp/support/status.h>

#include <optional>
#include <string>

#include "access/gate.hpp"
#include "serve/http_status.hpp"

namespace imago::grpc {

struct Ending {
  ::grpc::Status status;  ///< at first OK
  int http_status = 200;
  std::optional<int> retry_seconds{};  ///< when to try again, where trying again may help
  std::string hidden{};                ///< what broke, where that is ours to know: the status does not tell
};

/// Too much of the service's is RESOURCE_EXHAUSTED, which may be tried again; too much in one request, as all that is
/// wrong with it, is INVALID_ARGUMENT.
Ending ending_of(const serve::Refusal& refusal);
/// UNAUTHENTICATED, PERMISSION_DENIED or RESOURCE_EXHAUSTED. `verdict` refuses.
Ending ending_of(const access::Verdict& verdict);

}  // namespace imago::grpc
