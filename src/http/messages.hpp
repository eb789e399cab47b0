// SPDX-License-Identifier: Apache-2.0
// Between libmicrohttpd's requests and responses and ours.
#pragma once

#include <microhttpd.h>

#include <memory>

#include "http/server.hpp"

namespace imago::http {

/// Fills in what is known of a request when its headers are in: method, path, headers, query, peer, time.
void read_head(Request& request, MHD_Connection* connection, const char* url, const char* method);

struct ResponseDestroy {
  void operator()(MHD_Response* response) const noexcept { MHD_destroy_response(response); }
};
using ResponseHandle = std::unique_ptr<MHD_Response, ResponseDestroy>;

/// The body is that of `response`, or the channel's when there is one. Null when memory ran out.
ResponseHandle to_mhd(Response response, std::shared_ptr<Stream::Channel> channel);

}  // namespace imago::http
