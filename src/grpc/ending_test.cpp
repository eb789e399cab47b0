// SPDX-License-Identifier: Apache-2.0
#include "grpc/ending.hpp"

#include <gmock/gmock.h>

#include "grpc/call.hpp"

namespace imago::grpc {
namespace {

using ::grpc::StatusCode;
using serve::Blame;

Ending of(ErrorCode code, Blame blame) { return ending_of(serve::Refusal{{code, "the reason"}, blame}); }

TEST(Ending, TellsWhoIsToBlame) {
  EXPECT_EQ(of(ErrorCode::InvalidArgument, Blame::Request).status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(of(ErrorCode::Corrupt, Blame::Request).status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(of(ErrorCode::NotFound, Blame::Request).status.error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(of(ErrorCode::AlreadyExists, Blame::Request).status.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(of(ErrorCode::Timeout, Blame::Service).status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(of(ErrorCode::Unavailable, Blame::Service).status.error_code(), StatusCode::UNAVAILABLE);
}

TEST(Ending, AsksToTryAgainOnlyWhereThatHelps) {
  const auto full = of(ErrorCode::ResourceExhausted, Blame::Service);
  EXPECT_EQ(full.status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(full.retry_seconds, 1);
  const auto too_much = of(ErrorCode::ResourceExhausted, Blame::Request);
  EXPECT_EQ(too_much.status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_FALSE(too_much.retry_seconds.has_value());
}

TEST(Ending, KeepsWhatBrokeToItself) {
  const auto ending = of(ErrorCode::Internal, Blame::Service);
  EXPECT_EQ(ending.status.error_message(), "internal error");
  EXPECT_EQ(ending.hidden, "the reason");
  EXPECT_EQ(ending.http_status, 500);
}

TEST(Ending, PassesOnWhatTheGateSays) {
  access::Verdict verdict{.refusal = access::Refusal{401, "no key"}};
  EXPECT_EQ(ending_of(verdict).status.error_code(), StatusCode::UNAUTHENTICATED);
  verdict.refusal = access::Refusal{403, "another scope"};
  EXPECT_EQ(ending_of(verdict).status.error_code(), StatusCode::PERMISSION_DENIED);
  verdict.refusal = access::Refusal{429, "too often"};
  verdict.allowance = access::Allowance{.granted = false, .retry_seconds = 7};
  EXPECT_EQ(ending_of(verdict).status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ending_of(verdict).retry_seconds, 7);
}

TEST(PeerAddress, IsTheAddressAlone) {
  EXPECT_EQ(peer_address("ipv4:127.0.0.1:50051"), "127.0.0.1");
  EXPECT_EQ(peer_address("ipv6:[::1]:50051"), "::1");
  EXPECT_EQ(peer_address("ipv6:%5B2001:db8::7%5D:443"), "2001:db8::7");
  EXPECT_EQ(peer_address("unix:/tmp/socket"), "");
  EXPECT_EQ(peer_address("ipv4:"), "");
  EXPECT_EQ(peer_address(""), "");
}

}  // namespace
}  // namespace imago::grpc
