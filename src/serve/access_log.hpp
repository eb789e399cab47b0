// SPDX-License-Identifier: Apache-2.0
// One line for each request that was answered.
#pragma once

#include <chrono>
#include <string_view>

#include "base/log.hpp"
#include "http/server.hpp"

namespace imago::serve {

/// Off until this is called. Lines go to standard error through log::write_later.
void configure_access_log(bool on, log::Format format);

/// Time, method, route, status, latency, request id and the client's address; of what the client sent nothing else: no
/// path or query (they may hold names and keys), no headers, no body. Cheap, and never waits.
void log_access(const http::Request& request, int status, std::chrono::microseconds latency,
                std::string_view request_id);

}  // namespace imago::serve
