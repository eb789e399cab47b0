// SPDX-License-Identifier: Apache-2.0
// Request headers beyond Content-Type, and addresses.
#include "access/network.hpp"
#include "fuzz/target.hpp"
#include "serve/negotiate.hpp"

FUZZ_TARGET(headers) {
  const auto [first, second] = imago::fuzz::first_line(input);
  static_cast<void>(imago::serve::accepts_by_name(first, "text/html"));
  static_cast<void>(imago::serve::media_type(first));
  imago::http::Request request;
  request.headers.emplace("Accept", first);
  request.headers.emplace("X-Request-ID", second);
  static_cast<void>(imago::serve::metrics_format(request, imago::serve::MetricsFormat::Json));
  const auto id = imago::serve::request_id(request);
  EXPECTS(!id.empty() && id.size() <= 64, "a request's name is short");
  const auto address = imago::access::parse_address(first);
  const auto network = imago::access::Network::parse(second);
  if (address && network) static_cast<void>(network->contains(imago::access::client_of(*address)));
}
