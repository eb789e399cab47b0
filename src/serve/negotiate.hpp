// SPDX-License-Identifier: Apache-2.0
// What a client wants back, and how it names its request.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "http/server.hpp"

namespace imago::serve {

/// The media type of a Content-Type header in lower case, without parameters: "image/jpeg".
std::string media_type(std::string_view content_type);

/// Whether an Accept header names `type` itself ("text/html"), not through a wildcard, and with a q above 0.
bool accepts_by_name(std::string_view accept, std::string_view type);

enum class MetricsFormat { Json, Prometheus };
/// `?format=` decides, then an Accept that names Prometheus' types, then `otherwise` (requirements 1.8 C1).
/// InvalidArgument for another format.
Result<MetricsFormat> metrics_format(const http::Request& request, MetricsFormat otherwise);

/// 16 hex digits, unique to this process and not to be guessed. Safe from any thread.
std::string fresh_id();

/// The client's X-Request-ID when it is 1 to 64 of [A-Za-z0-9._-], else a fresh_id. Safe from any
/// thread.
std::string request_id(const http::Request& request);

}  // namespace imago::serve
