// SPDX-License-Identifier: Apache-2.0
// Where the processes of one training find one another: a table behind HTTP, held by the first of them.
#pragma once

#include <memory>
#include <string>

#include "base/error.hpp"
#include "http/server.hpp"

namespace imago::app {

class Rendezvous {
 public:
  /// Listens at this address alone. @param port 0: any free one.
  static Result<Rendezvous> open(const std::string& address, int port);

  [[nodiscard]] int port() const { return server_->port(); }

 private:
  explicit Rendezvous(std::unique_ptr<http::Server> server) : server_(std::move(server)) {}

  std::unique_ptr<http::Server> server_;
};

}  // namespace imago::app
