// SPDX-License-Identifier: Apache-2.0
// One line for each request that was answered.
#pragma once

#include <chrono>
#include <string_view>

#include "access/api_keys.hpp"
#include "base/log.hpp"
#include "http/server.hpp"
#include "serve/trace_context.hpp"

namespace imago::serve {

/// Off until this is called. Lines go to standard error through log::write_later.
void configure_access_log(bool on, log::Format format);

/// Time, method, route, status, latency, request id, the client's address, and where there are such, the id of its key
/// and its trace; of what the client sent nothing else: no path or query (they may hold names and keys), no headers, no
/// body. `key` may be null. Cheap, and never waits.
void log_access(const http::Request& request, int status, std::chrono::microseconds latency, const RequestMark& mark,
                const access::ApiKey* key);

}  // namespace imago::serve
