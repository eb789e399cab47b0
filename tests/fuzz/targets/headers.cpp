// SPDX-License-Identifier: Apache-2.0
// Request headers beyond Content-Type, and addresses.
#include "access/network.hpp"
#include "fuzz/target.hpp"
#include "serve/cors.hpp"
#include "serve/negotiate.hpp"
#include "serve/trace_context.hpp"

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
  static_cast<void>(imago::serve::parse_traceparent(first));
  request.method = "OPTIONS";
  request.headers.emplace("Origin", first);
  request.headers.emplace("Access-Control-Request-Method", "POST");
  request.headers.emplace("Access-Control-Request-Headers", second);
  const auto cors = imago::serve::Cors::parse({"*"}).value();
  const auto preflight = cors.answer_preflight(request);
  for (const auto& [name, value] : preflight.headers)
    EXPECTS(value.find_first_of("\r\n") == std::string::npos, "no header of the client's making");
  static_cast<void>(imago::serve::Cors::parse({std::string(second)}));
  const auto address = imago::access::parse_address(first);
  const auto network = imago::access::Network::parse(second);
  if (address && network) static_cast<void>(network->contains(imago::access::client_of(*address)));
}
