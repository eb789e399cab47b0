// SPDX-License-Identifier: Apache-2.0
// A request and its answer while both are under way, and the connection they are on.
#pragma once

#include <microhttpd.h>

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "http/server.hpp"
#include "http/slow_clients.hpp"
#include "http/stream.hpp"
#include "http/tls_credentials.hpp"

namespace imago::http {

struct Responder::Exchange {
  Request request;
  const Handler* handler = nullptr;
  Link* link = nullptr;             // the connection's; outlives this
  std::optional<Response> refusal;  // decided before the body was in, which is then read and dropped
  std::size_t charged_bytes = 0;    // of the budget for all bodies
  std::size_t dropped_bytes = 0;
  bool dispatched = false;
  std::shared_ptr<Exchange> self;  // held by the connection, until it is through with this request

  std::mutex mutex;                      // guards what follows
  MHD_Connection* connection = nullptr;  // null when the client or the server has gone
  std::optional<Response> answer;
  std::shared_ptr<Stream::Channel> channel;  // of an answer that is a stream
  bool suspended = false;
};

/// Answers, and wakes the connection when it waits for that. The first answer is the one.
void settle(Responder::Exchange& exchange, Response response, std::shared_ptr<Stream::Channel> channel = nullptr);

bool is_suspended(Responder::Exchange& exchange);

/// What is kept of a connection, from its first byte to its last.
struct Connection {
  const TlsCredentials* tls;
  Link* link;
};
Connection& connection_of(MHD_Connection* connection);
int socket_of(MHD_Connection* connection);

/// Handshakes ask the connection's TlsCredentials.
void add_tls_items(std::vector<MHD_OptionItem>& items);

}  // namespace imago::http
