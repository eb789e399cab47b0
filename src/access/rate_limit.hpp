// SPDX-License-Identifier: Apache-2.0
// How often a client may ask: a token bucket for each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <string_view>

#include "access/network.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"

namespace imago::access {

/// What the RateLimit headers and Retry-After say; times are whole seconds, rounded up.
struct Allowance {
  bool granted = true;
  int limit = 0;
  int remaining = 0;      ///< requests that would be granted now
  int reset_seconds = 0;  ///< until all of `limit` are there again
  int retry_seconds = 0;  ///< until one more is granted; 0 when one is
};

/// Who has a bucket: an address (client_of) or a key.
using Client = std::array<std::uint8_t, 16>;
Client client_of_key(std::string_view key_id);

/// A bucket holds as many tokens as its client may send requests a minute, gains them evenly at that rate and starts
/// full; a request takes one. So a client may send that many at once and as many a minute in the long run. Safe from
/// any thread.
class RateLimiter {
 public:
  /// @param most_clients  Of more, those not seen for longest are forgotten, which gives them a full bucket.
  explicit RateLimiter(std::size_t most_clients = 65'536);

  Allowance take(const Client& client, int per_minute, SteadyTime now);
  [[nodiscard]] std::size_t clients() const;

 private:
  struct Bucket {
    Client client;
    double tokens;
    SteadyTime seen;
  };
  const std::size_t most_clients_;
  mutable std::mutex mutex_;   // guards what follows
  std::list<Bucket> buckets_;  // the one seen last is first
  std::map<Client, std::list<Bucket>::iterator> index_;
};

/// "100/min" is 100; "off" is 0. InvalidArgument else.
Result<int> parse_rate(std::string_view text);

}  // namespace imago::access
