// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server, with or without TLS (libmicrohttpd, an epoll loop a thread). A handler gets the whole request and
// answers now or later, from any thread.
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
#include "http/multipart.hpp"
#include "http/tls.hpp"

namespace imago::http {

/// Header and parameter names compare without case.
struct CaseLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const noexcept;
};
using Fields = std::map<std::string, std::string, CaseLess>;

struct Request {
  std::string method;                           ///< "GET"; HEAD is answered by the GET route, without its body
  std::string path;                             ///< decoded, without the query: "/predict"
  Fields headers;                               ///< a header sent twice is joined with ", "
  Fields query;                                 ///< a parameter sent twice is joined with ","
  std::string body;                             ///< unpacked, if it came with gzip or deflate as its Content-Encoding
  std::string peer;                             ///< address of the client: "127.0.0.1"
  std::string route;                            ///< the pattern that matched; empty when none did
  std::map<std::string, std::string> captures;  ///< of the route: "/v1/models/{name}"
  std::chrono::steady_clock::time_point received;

  [[nodiscard]] std::string_view header(std::string_view name) const;     ///< empty when absent
  [[nodiscard]] std::string_view parameter(std::string_view name) const;  ///< of the query; empty when absent
};

struct Response {
  int status = 200;
  Fields headers;
  std::string body;
  /// Static bytes that outlive the server, sent without a copy, in place of `body`.
  std::string_view static_body;
};

/// An answer that is written bit by bit, as server-sent events are. Movable; closed when destroyed. Safe from any
/// thread, one at a time.
class Stream {
 public:
  struct Channel;
  explicit Stream(std::shared_ptr<Channel> channel);
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();
  /// Never waits. False once the client has gone, the server stops, or more than 1 MiB waits for a slow client: then
  /// the stream is over.
  bool send(std::string_view bytes);

 private:
  std::shared_ptr<Channel> channel_;
};

/// The way to answer one request: exactly once, from any thread. If it is destroyed unanswered, the client gets a 500.
/// Answering a client that has gone, or a server that has stopped, does nothing.
class Responder {
 public:
  struct Exchange;
  explicit Responder(std::shared_ptr<Exchange> exchange);
  Responder(Responder&&) noexcept;
  Responder& operator=(Responder&&) noexcept;
  ~Responder();
  void send(Response response);
  /// Sends status and headers of `head` (not its body) and leaves the rest to the stream.
  Stream stream(Response head);

 private:
  std::shared_ptr<Exchange> exchange_;
};

/// Runs on an event loop: must not block. `request` stays valid until the answer is sent.
using Handler = std::function<void(const Request& request, Responder responder)>;

struct Route {
  std::string method;
  std::string pattern;  ///< "/v1/models/{name}": {} matches one segment; "/assets/{path...}" the rest of the path
  Handler handler;
};

/// How a failure before or without a handler is written (404, 405, 413, 415, 431, 500, 503): so that all errors have
/// one shape. It is also told, for logs and counts only, of a body that came too slowly (408), whose client is not
/// there any more; and of what the library answers by itself, in HTML, before a request exists (what is not HTTP at
/// all: 400; headers over `connection_memory_bytes`: 431), with a request that has nothing but its time.
using ErrorWriter = std::function<Response(int status, std::string_view text, const Request& request)>;

/// One more place to listen at.
struct Listener {
  std::string address = "127.0.0.1";
  int port = 0;               ///< 0: any free one
  bool skip_if_busy = false;  ///< go on without it, with a warning in the log
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  int port = 8000;                                  ///< 0: any free one
  std::vector<Listener> also_at{};                  ///< the same routes and limits
  std::optional<TlsIdentity> tls{};                 ///< TLS at every place; none: plain HTTP at every place
  int threads = 2;                                  ///< for each place
  std::size_t max_body_bytes = 32u << 20;           ///< 413 above, without keeping it
  std::size_t max_bodies_bytes = 1024u << 20;       ///< of all requests being read or answered; 503 above
  std::size_t connection_memory_bytes = 32 * 1024;  ///< for the headers (431 above) and as read buffer
  unsigned max_connections = 10'000;                ///< 503 above; fewer where the process may not open so many files
  std::size_t max_header_bytes = 16 * 1024;         ///< request line and headers; 431 above
  std::size_t max_header_fields = 100;              ///< 431 above
  /// A connection is closed when nothing happens on it for so long, or no request has begun to be read.
  std::chrono::seconds idle_timeout{60};
  /// A body may take so long to come, and an answer to be read; beyond that there must be `least_bytes_per_second`.
  std::chrono::milliseconds slow_grace{30'000};
  std::uint64_t least_bytes_per_second = 1024;
};

class Server {
 public:
  /// Unavailable with the port in the text when it is taken ("port 8000 is in use: choose another with --port").
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options, std::vector<Route> routes,
                                               ErrorWriter errors);
  /// Stops without waiting: unanswered requests get a 503.
  virtual ~Server() = default;
  [[nodiscard]] virtual int port() const = 0;
  /// Of the main address, then of those of `also_at` that are open.
  [[nodiscard]] virtual std::vector<int> ports() const = 0;
  /// Refuses new connections, finishes the requests that are in, waits for them at most `patience`, stops. What is not
  /// answered by then gets a 503.
  virtual void drain(std::chrono::milliseconds patience) = 0;
  /// New connections get this certificate; those that are open keep theirs. InvalidArgument when it cannot be used, or
  /// the server speaks no TLS: then nothing changes.
  virtual Result<void> replace_tls(const TlsIdentity& identity) = 0;
};

}  // namespace imago::http
