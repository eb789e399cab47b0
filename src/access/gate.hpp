// SPDX-License-Identifier: Apache-2.0
// Who may do what, and how often: API keys and rate limits, asked before anything is done for a caller.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/api_keys.hpp"
#include "access/network.hpp"
#include "access/rate_limit.hpp"

namespace imago::access {

struct GateOptions {
  int requests_per_minute = 0;      ///< of one address, and of one key that has no rate of its own; 0: no limit
  std::vector<Network> trusted;     ///< clients without a limit, beside loopback
  bool trust_loopback = true;       ///< no: a proxy on this machine brings everybody
  bool require_key = false;         ///< ask for a key even while there is none
  store::Database* keys = nullptr;  ///< null: there are no keys
  /// Names beside localhost under which the server may be asked while it asks for no key (is_known_host); none: any.
  std::optional<std::vector<std::string>> hosts{};
};

/// What is known of who asks, whatever the protocol.
struct Caller {
  std::string_view peer;                   ///< the address he connects from: nothing he says of himself
  std::string_view key;                    ///< the secret he shows; empty: none
  SteadyTime received{};                   ///< when he asked
  std::optional<std::string_view> host{};  ///< the name he asked under, where the protocol has one
  bool from_another_site = false;          ///< a browser says that a page of another site wants something changed
};

struct Refusal {
  int status = 403;  ///< as HTTP has it: 401, 403 or 429
  std::string why;   ///< for the caller; names no secret
};

struct Verdict {
  std::optional<Refusal> refusal;      ///< none: he may go on
  std::optional<Allowance> allowance;  ///< none: he has no limit
  std::shared_ptr<const ApiKey> key;   ///< the good one that he showed, or null
};

/// "key NAME (ID)", or the address of one who showed none: what the audit log says of who it was.
std::string name_of(const Verdict& verdict, std::string_view peer);

/// Safe from any thread.
class Gate {
 public:
  static Result<std::unique_ptr<Gate>> open(const GateOptions& options);
  ~Gate();

  /// Counts the request, whatever becomes of it.
  [[nodiscard]] Verdict judge(const Caller& caller, Scope scope) const;

 private:
  explicit Gate(const GateOptions& options) : options_(options) {}
  [[nodiscard]] std::optional<Allowance> take(const Caller& caller, const ApiKey* key) const;
  [[nodiscard]] bool asks_for_key() const { return options_.require_key || (keys_ && keys_->in_use()); }
  [[nodiscard]] std::optional<Refusal> refuse_stranger(const Caller& caller) const;

  const GateOptions options_;
  mutable RateLimiter limiter_;
  std::unique_ptr<KeyRing> keys_;
};

}  // namespace imago::access
