// SPDX-License-Identifier: Apache-2.0
// The options of `imago serve` that say where it listens, who may ask how often, and what is logged of it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "serve/service.hpp"
#include "store/database.hpp"

namespace imago::app {

struct AccessOptions {
  std::string listen = "127.0.0.1";
  int port = 8000;
  int grpc_port = 0;                     ///< 0: none
  std::vector<std::string> also_listen;  ///< "ADDRESS:PORT"
  bool compat = false;
  bool insecure = false;
  bool require_key = false;
  std::vector<std::string> allowed_hosts;
  std::string rate_limit = "100/min";
  std::vector<std::string> trusted;
  bool no_trust_loopback = false;
  std::vector<std::string> cors;  ///< origins of other sites' pages, or "*"
  int idle_seconds = static_cast<int>(http::ServerOptions{}.idle_timeout.count());
  int drain_delay_seconds = 0;
  int drain_seconds = 30;
  int audit_days = 0;                    ///< 0: for ever
  std::string tls_certificate, tls_key;  ///< files; both or neither
  std::string log_format = "text";
  std::string access_log;  ///< "on", "off"; empty: on for JSON
};

void add_access_options(CLI::App& command, AccessOptions& options);

/// An address or name that only this machine reaches.
bool is_loopback(const std::string& address);

/// Fills in where to listen and whom to let in. Beyond loopback only those with a key may ask, unless told otherwise:
/// InvalidArgument when there is none yet.
Result<void> apply_access(serve::ServeOptions& serving, const AccessOptions& options, store::Database& database);

void configure_logs(const AccessOptions& options);

}  // namespace imago::app
