// SPDX-License-Identifier: Apache-2.0
// Who may do what, and how often: API keys and rate limits, asked before a handler sees the request.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/api_keys.hpp"
#include "serve/network.hpp"
#include "serve/rate_limit.hpp"
#include "serve/reply.hpp"

namespace imago::serve {

struct GateOptions {
  int requests_per_minute = 0;      ///< of one client; 0: no limit
  std::vector<Network> trusted;     ///< clients without a limit, beside loopback
  bool trust_loopback = true;       ///< no: a proxy on this machine brings everybody
  bool require_key = false;         ///< ask for a key even while there is none
  store::Database* keys = nullptr;  ///< null: there are no keys
  /// Names beside localhost under which the server may be asked while it asks for no key (is_known_host); none: any.
  std::optional<std::vector<std::string>> hosts{};
};

/// Clients are told apart by the address they connect from; X-Forwarded-For is anybody's to write. Safe from any
/// thread.
class Gate {
 public:
  static Result<std::unique_ptr<Gate>> open(const GateOptions& options);
  ~Gate();

  /// True when the request may go on; else it has been answered (401, 403 or 429). Adds the RateLimit headers to what
  /// will be answered.
  bool admit(Reply& reply, Scope scope) const;

  /// For a request that no handler sees: counts it as well, adds the headers to `response`, or puts a 429 in its place.
  void count_unhandled(const http::Request& request, http::Response& response, std::string_view request_id) const;

 private:
  explicit Gate(const GateOptions& options);
  [[nodiscard]] std::optional<Allowance> take(const http::Request& request) const;
  [[nodiscard]] bool asks_for_key() const { return options_.require_key || (keys_ && keys_->in_use()); }
  bool admit_without_key(Reply& reply) const;
  bool admit_key(Reply& reply, Scope scope) const;

  const GateOptions options_;
  std::unique_ptr<RateLimiter> limiter_;
  std::unique_ptr<KeyRing> keys_;
};

/// The key a request brings, as `X-API-Key: KEY` or `Authorization: Bearer KEY`; empty when it brings none.
std::string_view presented_key(const http::Request& request);

}  // namespace imago::serve
