// SPDX-License-Identifier: Apache-2.0
// One call, or one message of a stream: who asks and whether he may, and what is counted and logged of it. To gate,
// metrics and log it is a request like those over HTTP.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <optional>
#include <string>
#include <string_view>

#include "access/gate.hpp"
#include "grpc/ending.hpp"
#include "http/server.hpp"
#include "serve/open_inference_server.hpp"
#include "serve/trace_context.hpp"

namespace imago::grpc {

class Call {
 public:
  /// Looks at the context now and never again. @param method  as "ModelInfer".
  Call(const ::grpc::CallbackServerContext& context, const serve::OpenInferenceHost& host, std::string_view method);
  /// The next message of the stream that this call opened, received now.
  [[nodiscard]] Call next() const;

  /// How the call ends when it may not go on. Counts it against the caller's rate limit.
  [[nodiscard]] std::optional<Ending> admit(access::Scope scope);
  /// Counts and logs how it ended.
  void close(const Ending& ending) const;

  /// As HTTP would have it: metadata as headers, the address without its port.
  [[nodiscard]] const http::Request& request() const { return request_; }
  [[nodiscard]] const serve::RequestMark& mark() const { return mark_; }
  /// What the gate said.
  [[nodiscard]] const access::Verdict& verdict() const { return verdict_; }
  /// The client's, at most.
  [[nodiscard]] SteadyTime deadline() const { return deadline_; }

 private:
  const serve::OpenInferenceHost* host_;
  http::Request request_;
  serve::RequestMark mark_;
  SteadyTime deadline_;
  access::Verdict verdict_;
};

/// Ends a call: its metadata, its count, its status. Nothing of the call or the context may be touched after.
void finish(::grpc::CallbackServerContext& context, ::grpc::ServerUnaryReactor& reactor, const Call& call,
            Ending ending);

/// "127.0.0.1" of "ipv4:127.0.0.1:5000", "::1" of "ipv6:[::1]:5000" or "ipv6:%5B::1%5D:5000"; else empty.
std::string peer_address(std::string_view peer);

}  // namespace imago::grpc
