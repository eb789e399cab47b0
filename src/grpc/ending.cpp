// SPDX-License-Identifier: Apache-2.0
#include "grpc/ending.hpp"

namespace imago::grpc {
namespace {

using ::grpc::StatusCode;

StatusCode code_of(ErrorCode code, serve::Blame blame) {
  const bool request = blame == serve::Blame::Request;
  switch (code) {
    case ErrorCode::InvalidArgument:
    case ErrorCode::Corrupt:
    case ErrorCode::Unsupported: return request ? StatusCode::INVALID_ARGUMENT : StatusCode::INTERNAL;
    case ErrorCode::NotFound: return StatusCode::NOT_FOUND;
    case ErrorCode::AlreadyExists: return StatusCode::FAILED_PRECONDITION;
    case ErrorCode::ResourceExhausted: return request ? StatusCode::INVALID_ARGUMENT : StatusCode::RESOURCE_EXHAUSTED;
    case ErrorCode::Timeout: return StatusCode::DEADLINE_EXCEEDED;
    case ErrorCode::Cancelled:
    case ErrorCode::Unavailable: return StatusCode::UNAVAILABLE;
    case ErrorCode::Internal: return StatusCode::INTERNAL;
  }
  return StatusCode::INTERNAL;
}

StatusCode code_of_status(int status) {
  return status == 401   ? StatusCode::UNAUTHENTICATED
         : status == 429 ? StatusCode::RESOURCE_EXHAUSTED
                         : StatusCode::PERMISSION_DENIED;
}

}  // namespace

Ending ending_of(const serve::Refusal& refusal) {
  Ending ending;
  const auto code = code_of(refusal.error.code, refusal.blame);
  ending.http_status = serve::http_status(refusal.error.code, refusal.blame);
  if (ending.http_status == 503) ending.retry_seconds = refusal.retry_seconds.value_or(1);
  if (code == StatusCode::INTERNAL) ending.hidden = refusal.error.message;
  ending.status = ::grpc::Status(code, code == StatusCode::INTERNAL ? "internal error" : refusal.error.message);
  return ending;
}

Ending ending_of(const access::Verdict& verdict) {
  Ending ending;
  ending.http_status = verdict.refusal->status;
  ending.status = ::grpc::Status(code_of_status(ending.http_status), verdict.refusal->why);
  if (ending.http_status == 429) ending.retry_seconds = verdict.allowance->retry_seconds;
  return ending;
}

}  // namespace imago::grpc
