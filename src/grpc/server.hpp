// SPDX-License-Identifier: Apache-2.0
// The Open Inference Protocol over gRPC, beside HTTP: the same models, keys, limits and counts.
// docs/api/open_inference.md
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "serve/open_inference_server.hpp"

namespace imago::grpc {

struct ServerOptions {
  struct Tls {
    std::filesystem::path certificate, key;  ///< PEM files, read again when they change
  };
  std::string address = "127.0.0.1";
  int port = 0;                                  ///< 0: any free one
  std::optional<Tls> tls{};                      ///< none: plain
  std::size_t max_message_bytes = 32u << 20;     ///< RESOURCE_EXHAUSTED above
  std::size_t max_messages_bytes = 1024u << 20;  ///< of all being read; then clients are held back
};

class Server {
 public:
  /// Unavailable when the port is taken. What `host` refers to outlives the server.
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options, const serve::OpenInferenceHost& host);
  /// Stops; calls that are not answered are waited for.
  virtual ~Server() = default;
  [[nodiscard]] virtual int port() const = 0;

  /// Tells those who watch grpc.health.v1.Health whether the server is ready: to be called now and then.
  virtual void tell_health() = 0;
  /// Health is "not serving" from here on; calls are answered as before.
  virtual void announce_stop() = 0;
  /// Refuses new connections and calls, answers those that are in, at most for `patience`. Streams end once they have
  /// answered what they have read.
  virtual void drain(std::chrono::milliseconds patience) = 0;
};

}  // namespace imago::grpc
