// SPDX-License-Identifier: Apache-2.0
#include "grpc/call.hpp"

#include "base/log.hpp"
#include "serve/access_log.hpp"
#include "serve/admission.hpp"

namespace imago::grpc {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

std::string_view view(const ::grpc::string_ref& text) { return {text.data(), text.size()}; }

/// The client's deadline on the clock that the batcher goes by.
SteadyTime steady(system_clock::time_point deadline, SteadyTime received) {
  const auto now = system_clock::now();
  constexpr std::chrono::hours kFar{24};
  if (deadline <= now) return received;
  return deadline - now > kFar ? SteadyTime::max()
                               : received + std::chrono::duration_cast<steady_clock::duration>(deadline - now);
}

}  // namespace

std::string peer_address(std::string_view peer) {
  const auto scheme = peer.find(':');
  const auto port = peer.rfind(':');
  if (!(peer.starts_with("ipv4:") || peer.starts_with("ipv6:")) || port <= scheme) return {};
  std::string_view address = peer.substr(scheme + 1, port - scheme - 1);
  for (const std::string_view open : {"[", "%5B"})
    if (address.starts_with(open)) address.remove_prefix(open.size());
  for (const std::string_view close : {"]", "%5D"})
    if (address.ends_with(close)) address.remove_suffix(close.size());
  return std::string(address);
}

Call::Call(const ::grpc::CallbackServerContext& context, const serve::OpenInferenceHost& host, std::string_view method)
    : host_(&host) {
  request_.received = steady_clock::now();
  request_.method = "POST";
  request_.route = fmt::format("/inference.GRPCInferenceService/{}", method);
  request_.path = request_.route;
  request_.peer = peer_address(context.peer());
  for (const auto& [name, value] : context.client_metadata())
    request_.headers.try_emplace(std::string(view(name)), view(value));
  request_.headers["Host"] = view(context.ExperimentalGetAuthority());
  deadline_ = steady(context.deadline(), request_.received);
  mark_ = serve::mark_of(request_);
}

Call Call::next() const {
  Call call(*this);
  call.request_.received = steady_clock::now();
  call.request_.headers.erase("X-Request-ID");  // it named the stream
  call.mark_ = serve::mark_of(call.request_);
  return call;
}

std::optional<Ending> Call::admit(access::Scope scope) {
  verdict_ = host_->gate.judge({.peer = request_.peer,
                                .key = serve::presented_key(request_),
                                .received = request_.received,
                                .host = request_.header("Host")},
                               scope);
  if (!verdict_.refusal) return std::nullopt;
  Ending ending = ending_of(verdict_);
  if (ending.http_status != 429)
    log::warning("{} for {} from {}: {} ({})", ending.http_status, request_.route, request_.peer, verdict_.refusal->why,
                 mark_.request_id);
  return ending;
}

void Call::close(const Ending& ending) const {
  if (!ending.hidden.empty()) log::error("{} ({}): {}", request_.route, mark_.request_id, ending.hidden);
  const auto latency = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - request_.received);
  const bool for_prediction = request_.route.ends_with("Infer");
  host_->metrics.count_request(request_.route, ending.http_status, latency, for_prediction);
  serve::log_access(request_, ending.http_status, latency, mark_, verdict_.key.get());
}

void finish(::grpc::CallbackServerContext& context, ::grpc::ServerUnaryReactor& reactor, const Call& call,
            Ending ending) {
  context.AddInitialMetadata("x-request-id", call.mark().request_id);
  if (const auto& trace = call.mark().trace) context.AddInitialMetadata("traceresponse", serve::traceresponse(*trace));
  if (const auto& allowance = call.verdict().allowance) {
    context.AddInitialMetadata("ratelimit-limit", std::to_string(allowance->limit));
    context.AddInitialMetadata("ratelimit-remaining", std::to_string(allowance->remaining));
    context.AddInitialMetadata("ratelimit-reset", std::to_string(allowance->reset_seconds));
  }
  if (ending.retry_seconds) {
    context.AddTrailingMetadata("retry-after", std::to_string(*ending.retry_seconds));
    // What gRPC's own retries go by, where a client has them on.
    context.AddTrailingMetadata("grpc-retry-pushback-ms", std::to_string(*ending.retry_seconds * 1000));
  }
  call.close(ending);
  reactor.Finish(std::move(ending.status));
}

}  // namespace imago::grpc
