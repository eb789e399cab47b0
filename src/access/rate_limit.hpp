// SPDX-License-Identifier: Apache-2.0
// How often a client may ask: a token bucket for each.
#pragma once

#include <cstddef>
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

/// A bucket holds `per_minute` tokens, gains them evenly at that rate and starts full; a request takes one. So a client
/// may send `per_minute` at once and that many a minute in the long run. Safe from any thread.
class RateLimiter {
 public:
  /// @param most_clients  Of more, those not seen for longest are forgotten, which gives them a full bucket.
  explicit RateLimiter(int per_minute, std::size_t most_clients = 65'536);

  Allowance take(const Address& client, SteadyTime now);
  [[nodiscard]] std::size_t clients() const;

 private:
  struct Bucket {
    Address client;
    double tokens;
    SteadyTime seen;
  };
  const double capacity_;
  const std::size_t most_clients_;
  mutable std::mutex mutex_;   // guards what follows
  std::list<Bucket> buckets_;  // the one seen last is first
  std::map<Address, std::list<Bucket>::iterator> index_;
};

/// "100/min" is 100; "off" is 0. InvalidArgument else.
Result<int> parse_rate(std::string_view text);

}  // namespace imago::access
