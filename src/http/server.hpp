// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server (libmicrohttpd, an epoll loop a thread). A handler gets the whole request and answers now or later, from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace imago::http {

/// Header and parameter names compare without case.
struct CaseLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const noexcept;
};
using Fields = std::map<std::string, std::string, CaseLess>;

struct Request {
  std::string method;  ///< "GET"
  std::string path;    ///< decoded, without the query: "/predict"
  Fields headers;
  Fields query;
  std::string body;
  std::string peer;    ///< address of the client: "127.0.0.1"
  std::map<std::string, std::string> captures;  ///< of the route: "/v1/models/{name}"
  std::chrono::steady_clock::time_point received;

  [[nodiscard]] std::string_view header(std::string_view name) const;  ///< empty when absent
};

struct Response {
  int status = 200;
  Fields headers;
  std::string body;
  /// Static bytes that outlive the server, sent without a copy, in place of `body`.
  std::string_view static_body;
};

/// The way to answer one request: exactly once, from any thread. If it is destroyed unanswered, the client gets a 500.
class Responder {
 public:
  struct Exchange;
  explicit Responder(std::shared_ptr<Exchange> exchange);
  Responder(Responder&&) noexcept;
  Responder& operator=(Responder&&) noexcept;
  ~Responder();
  void send(Response response);

 private:
  std::shared_ptr<Exchange> exchange_;
};

/// Runs on an event loop: must not block. `request` stays valid until the answer is sent.
using Handler = std::function<void(const Request& request, Responder responder)>;

struct Route {
  std::string method;
  std::string pattern;  ///< "/v1/models/{name}": {} matches one segment
  Handler handler;
};

/// How a failure before or without a handler is written (404, 405, 413, 400): so that all errors have one shape.
using ErrorWriter = std::function<Response(int status, std::string_view text, const Request& request)>;

struct ServerOptions {
  std::string address = "127.0.0.1";
  int port = 8000;  ///< 0: any free one
  int threads = 2;
  std::size_t max_body_bytes = 32u << 20;  ///< 413 above, without reading it
  unsigned max_connections = 10'000;
  std::chrono::seconds idle_timeout{60};
};

class Server {
 public:
  /// Unavailable with the port in the text when it is taken ("port 8000 is in use: choose another with --port").
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options, std::vector<Route> routes, ErrorWriter errors);
  virtual ~Server() = default;
  [[nodiscard]] virtual int port() const = 0;
  /// Refuses new connections, finishes the requests that are in, waits for them at most `patience`.
  virtual void drain(std::chrono::milliseconds patience) = 0;
};

/// A part of a multipart/form-data body.
struct Part {
  std::string name;
  std::string filename;  ///< as the client wrote it: never use it as a path
  std::string content_type;
  std::string_view data;  ///< into the request's body
};

/// RFC 7578. InvalidArgument when the boundary is missing or the body is cut; ResourceExhausted over `max_parts`.
Result<std::vector<Part>> parse_multipart(std::string_view content_type, std::string_view body, std::size_t max_parts = 10'000);

}  // namespace imago::http
