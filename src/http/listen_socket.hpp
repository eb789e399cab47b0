// SPDX-License-Identifier: Apache-2.0
// The socket a server listens on, opened by us so that a busy port and a bad address are told apart; and how many
// connections it may take.
#pragma once

#include <string>

#include "base/error.hpp"

namespace imago::http {

/// A listening TCP socket, non-blocking, closed on exec. `port` 0 takes any free one. Unavailable when the port is
/// taken; InvalidArgument when the address is none of this machine's, or the port needs rights we have not.
Result<int> open_listen_socket(const std::string& address, int port);

/// The port a socket is bound to.
int bound_port(int socket);

/// Connections that this process may have open at once, `wanted` at the most; raises the soft limit on files as far as
/// it goes.
unsigned allowed_connections(unsigned wanted);

}  // namespace imago::http
