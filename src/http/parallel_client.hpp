// SPDX-License-Identifier: Apache-2.0
// Many requests to one address at the same time, from one thread (libcurl's multi interface on epoll): what a load
// generator needs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "http/client.hpp"

namespace imago::http {

struct ParallelOptions {
  std::string url;
  int connections = 1;
  Fields headers;
  std::chrono::milliseconds timeout{30'000};  ///< of one exchange
  std::string trust;                          ///< file with the certificate that the server has; empty: the system's
};

/// Where a request ended.
struct ParallelAnswer {
  std::uint64_t ticket;
  int status;             ///< 0: there was no answer
  std::string_view body;  ///< valid in the call only
  std::string_view problem;
};

/// Connections are kept open. No proxy, whatever the environment says. From one thread.
class ParallelClient {
 public:
  /// InvalidArgument for an address that is none.
  static Result<std::unique_ptr<ParallelClient>> open(const ParallelOptions& options);
  ~ParallelClient();

  /// How many more requests can be on their way.
  [[nodiscard]] std::size_t idle() const;
  /// Sends a POST with `body`, which must stay where it is until the answer. Needs idle() > 0.
  void post(std::uint64_t ticket, std::string_view body);
  /// Waits until something was answered, a signal came, or it is `until`. `on_answer` may post again.
  void wait(SteadyTime until, const std::function<void(const ParallelAnswer&)>& on_answer);

 private:
  struct Impl;
  explicit ParallelClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The host of an http or https address, in lower case, IPv6 without brackets. InvalidArgument for what is none.
Result<std::string> host_of(const std::string& url);

}  // namespace imago::http
