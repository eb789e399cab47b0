// SPDX-License-Identifier: Apache-2.0
// The gate before the routes: what a request tells of its caller, and how a refusal is answered.
#pragma once

#include <string_view>

#include "access/gate.hpp"
#include "serve/reply.hpp"

namespace imago::serve {

using access::Gate;
using access::Scope;

/// True when the request may go on; else it has been answered (401, 403 or 429). Adds the RateLimit headers to what
/// will be answered.
bool admit(const Gate& gate, Reply& reply, Scope scope);

/// For a request that no handler sees: counts it as well, adds the headers to `response`, or puts a 429 in its place.
void count_unhandled(const Gate& gate, const http::Request& request, http::Response& response,
                     std::string_view request_id);

/// The key a request brings, as `X-API-Key: KEY` or `Authorization: Bearer KEY`; empty when it brings none.
std::string_view presented_key(const http::Request& request);

}  // namespace imago::serve
