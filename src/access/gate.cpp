// SPDX-License-Identifier: Apache-2.0
#include "access/gate.hpp"

#include <algorithm>

#include "access/host_names.hpp"

namespace imago::access {
namespace {

constexpr std::size_t kMostShown = 100;  // characters of what a client sent

Refusal refuse_key(const Caller& caller, const ApiKey* key, Scope scope) {
  if (key != nullptr) {
    return {403, fmt::format("key {} is for {}; this needs {}", key->id, join_scopes(key->scopes), to_string(scope))};
  }
  if (caller.key.empty())
    return {401, "this needs an API key, as X-API-Key or Authorization: Bearer (`imago keys create` makes one)"};
  return {401, "the API key is unknown or was revoked"};
}

}  // namespace

std::string name_of(const Verdict& verdict, std::string_view peer) {
  return verdict.key ? fmt::format("key {} ({})", verdict.key->name, verdict.key->id) : std::string(peer);
}

Gate::~Gate() = default;

Result<std::unique_ptr<Gate>> Gate::open(const GateOptions& options) {
  std::unique_ptr<Gate> gate(new Gate(options));
  if (options.keys != nullptr) {
    TRY(gate->keys_, KeyRing::open(*options.keys));
  }
  return gate;
}

/// A key with a rate of its own goes by that, wherever it is used. Any other request takes from its address's bucket
/// and from its key's: many addresses do not make a key faster, nor many keys an address.
std::optional<Allowance> Gate::take(const Caller& caller, const ApiKey* key) const {
  if (key != nullptr && key->per_minute) {
    if (*key->per_minute == 0) return std::nullopt;
    return limiter_.take(client_of_key(key->id), *key->per_minute, caller.received);
  }
  if (options_.requests_per_minute == 0) return std::nullopt;
  // One without an address (there is none over TCP) shares the bucket of "::".
  const Address address = parse_address(caller.peer).value_or(Address{});
  if (options_.trust_loopback && is_loopback(address)) return std::nullopt;
  const auto in = [&](const Network& network) { return network.contains(address); };
  if (std::ranges::any_of(options_.trusted, in)) return std::nullopt;
  const Allowance own = limiter_.take(client_of(address), options_.requests_per_minute, caller.received);
  if (key == nullptr || !own.granted) return own;
  const Allowance of_key = limiter_.take(client_of_key(key->id), options_.requests_per_minute, caller.received);
  return !of_key.granted || of_key.remaining < own.remaining ? of_key : own;
}

Verdict Gate::judge(const Caller& caller, Scope scope) const {
  Verdict verdict;
  if (keys_ && !caller.key.empty()) verdict.key = keys_->find(caller.key);
  verdict.allowance = take(caller, verdict.key.get());
  if (verdict.allowance && !verdict.allowance->granted) {
    verdict.refusal = Refusal{429, fmt::format("more than {} requests a minute: try again in {} s",
                                               verdict.allowance->limit, verdict.allowance->retry_seconds)};
  } else if (scope == Scope::Open) {
    return verdict;
  } else if (!asks_for_key()) {
    verdict.refusal = refuse_stranger(caller);
  } else if (!verdict.key || !verdict.key->allows(scope)) {
    verdict.refusal = refuse_key(caller, verdict.key.get(), scope);
  }
  return verdict;
}

/// Whoever can reach the server may use it; but a page of another site that somebody has open is not to reach it
/// through his browser. Where a key is asked for such a page cannot: it does not know one.
std::optional<Refusal> Gate::refuse_stranger(const Caller& caller) const {
  if (options_.hosts && caller.host && !is_known_host(*caller.host, *options_.hosts)) {
    return Refusal{403, fmt::format("this server is not known as '{}': use localhost, or start it with --allowed-hosts "
                                    "and that name",
                                    caller.host->substr(0, kMostShown))};
  }
  if (caller.from_another_site) return Refusal{403, "pages of other sites may not do this"};
  return std::nullopt;
}

}  // namespace imago::access
