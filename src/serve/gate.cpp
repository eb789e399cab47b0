// SPDX-License-Identifier: Apache-2.0
#include "serve/gate.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "serve/host_names.hpp"

namespace imago::serve {
namespace {

constexpr const char* kChallenge = R"(Bearer realm="imago")";

constexpr std::size_t kMostShown = 100;  // characters of what a client sent

/// A page that somebody has open can send forms to any address of his machine; browsers say where they come from.
bool comes_from_another_site(const http::Request& request) {
  return request.method != "GET" && request.method != "HEAD" && request.header("Sec-Fetch-Site") == "cross-site";
}

template <class AddHeader>
void add_headers(const Allowance& allowance, const AddHeader& add) {
  add("RateLimit-Limit", std::to_string(allowance.limit));
  add("RateLimit-Remaining", std::to_string(allowance.remaining));
  add("RateLimit-Reset", std::to_string(allowance.reset_seconds));
}

http::Response too_often(const Allowance& allowance, std::string_view request_id) {
  http::Response response = error_response(
      429, code_of_status(429),
      fmt::format("more than {} requests a minute: try again in {} s", allowance.limit, allowance.retry_seconds),
      request_id);
  response.headers["Retry-After"] = std::to_string(allowance.retry_seconds);
  return response;
}

}  // namespace

std::string_view presented_key(const http::Request& request) {
  if (const auto key = request.header("X-API-Key"); !key.empty()) return key;
  constexpr std::string_view kScheme = "bearer ";
  const auto credentials = request.header("Authorization");
  const bool is_bearer = credentials.size() > kScheme.size() &&
                         std::equal(kScheme.begin(), kScheme.end(), credentials.begin(), [](char a, char b) {
                           return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b + 32) : b);
                         });
  if (!is_bearer) return {};
  const auto start = credentials.find_first_not_of(' ', kScheme.size());
  return start == std::string_view::npos ? std::string_view{} : credentials.substr(start);
}

Gate::Gate(const GateOptions& options) : options_(options) {
  if (options.requests_per_minute > 0) limiter_ = std::make_unique<RateLimiter>(options.requests_per_minute);
}

Gate::~Gate() = default;

Result<std::unique_ptr<Gate>> Gate::open(const GateOptions& options) {
  std::unique_ptr<Gate> gate(new Gate(options));
  if (options.keys != nullptr) {
    TRY(gate->keys_, KeyRing::open(*options.keys));
  }
  return gate;
}

std::optional<Allowance> Gate::take(const http::Request& request) const {
  if (!limiter_) return std::nullopt;
  // One without an address (there is none over TCP) shares the bucket of "::".
  const Address address = parse_address(request.peer).value_or(Address{});
  if (options_.trust_loopback && is_loopback(address)) return std::nullopt;
  const auto in = [&](const Network& network) { return network.contains(address); };
  if (std::ranges::any_of(options_.trusted, in)) return std::nullopt;
  return limiter_->take(client_of(address), request.received);
}

bool Gate::admit(Reply& reply, Scope scope) const {
  if (const auto allowance = take(reply.request())) {
    add_headers(*allowance, [&](const char* name, std::string value) { reply.add_header(name, std::move(value)); });
    if (!allowance->granted) {
      reply.send(too_often(*allowance, reply.request_id()));
      return false;
    }
  }
  if (scope == Scope::Open) return true;
  return asks_for_key() ? admit_key(reply, scope) : admit_without_key(reply);
}

/// Whoever can reach the server may use it; but a page of another site that somebody has open is not to reach it
/// through his browser. Where a key is asked for such a page cannot: it does not know one.
bool Gate::admit_without_key(Reply& reply) const {
  const http::Request& request = reply.request();
  std::string why;
  if (comes_from_another_site(request)) why = "pages of other sites may not do this";
  const auto host = request.header("Host");
  if (options_.hosts && !is_known_host(host, *options_.hosts))
    why = fmt::format("this server is not known as '{}': use localhost, or start it with --allowed-hosts and that name",
                      host.substr(0, kMostShown));
  if (!why.empty()) reply.send(error_response(403, code_of_status(403), why, reply.request_id()));
  return why.empty();
}

bool Gate::admit_key(Reply& reply, Scope scope) const {
  const http::Request& request = reply.request();
  const auto secret = presented_key(request);
  const auto key = keys_ && !secret.empty() ? keys_->find(secret) : nullptr;
  if (key && key->allows(scope)) return true;
  // The route, not the path: a path can be made to carry anything, a key that slipped into it too.
  const auto refuse = [&](int status, std::string_view why) {
    log::warning("{} for {} {} from {}: {}", status, request.method, request.route, request.peer, why);
    http::Response response = error_response(status, code_of_status(status), why, reply.request_id());
    if (status == 401) response.headers["WWW-Authenticate"] = kChallenge;
    reply.send(std::move(response));
  };
  if (key) {
    refuse(403, fmt::format("key {} is for {}; this needs {}", key->id, join_scopes(key->scopes), to_string(scope)));
  } else if (secret.empty()) {
    refuse(401, "this needs an API key, as X-API-Key or Authorization: Bearer (`imago keys create` makes one)");
  } else {
    refuse(401, "the API key is unknown or was revoked");
  }
  return false;
}

void Gate::count_unhandled(const http::Request& request, http::Response& response, std::string_view request_id) const {
  const auto allowance = take(request);
  if (!allowance) return;
  if (!allowance->granted) response = too_often(*allowance, request_id);
  add_headers(*allowance, [&](const char* name, std::string value) { response.headers[name] = std::move(value); });
}

}  // namespace imago::serve
