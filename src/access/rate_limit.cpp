// SPDX-License-Identifier: Apache-2.0
#include "access/rate_limit.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace imago::access {
namespace {

constexpr int kMostPerMinute = 1'000'000;

}  // namespace

Client client_of_key(std::string_view key_id) {
  // The last eight bytes are hex digits: there client_of has zeros for IPv6, and 0xff within them for IPv4.
  Client client{};
  std::copy_n(key_id.begin(), std::min<std::size_t>(key_id.size(), 8), client.begin() + 8);
  return client;
}

RateLimiter::RateLimiter(std::size_t most_clients) : most_clients_(most_clients) {
  EXPECTS(most_clients > 0, "room for a client");
}

Allowance RateLimiter::take(const Client& client, int per_minute, SteadyTime now) {
  EXPECTS(per_minute > 0, "a limit");
  const double capacity = per_minute;
  const double per_second = capacity / 60.0;
  const std::scoped_lock lock(mutex_);
  const auto known = index_.find(client);
  if (known == index_.end()) {
    if (buckets_.size() >= most_clients_) {
      index_.erase(buckets_.back().client);
      buckets_.pop_back();
    }
    buckets_.push_front({client, capacity, now});
    index_.emplace(client, buckets_.begin());
  } else {
    buckets_.splice(buckets_.begin(), buckets_, known->second);
  }
  Bucket& bucket = buckets_.front();
  const double idle_seconds = std::max(0.0, std::chrono::duration<double>(now - bucket.seen).count());
  bucket.tokens = std::min(capacity, bucket.tokens + idle_seconds * per_second);
  bucket.seen = std::max(bucket.seen, now);

  Allowance allowance;
  allowance.granted = bucket.tokens >= 1.0;
  if (allowance.granted) bucket.tokens -= 1.0;
  const auto seconds = [&](double tokens) { return static_cast<int>(std::ceil(std::max(0.0, tokens) / per_second)); };
  allowance.limit = static_cast<int>(capacity);
  allowance.remaining = static_cast<int>(bucket.tokens);
  allowance.reset_seconds = seconds(capacity - bucket.tokens);
  allowance.retry_seconds = bucket.tokens >= 1.0 ? 0 : std::max(1, seconds(1.0 - bucket.tokens));
  return allowance;
}

std::size_t RateLimiter::clients() const {
  const std::scoped_lock lock(mutex_);
  return buckets_.size();
}

Result<int> parse_rate(std::string_view text) {
  if (text == "off") return 0;
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (code != std::errc() || unit != "/min" || value < 1 || value > kMostPerMinute)
    return fail(ErrorCode::InvalidArgument, "'{}' is no rate: give one as 100/min (1 to {}), or off", text,
                kMostPerMinute);
  return value;
}

}  // namespace imago::access
