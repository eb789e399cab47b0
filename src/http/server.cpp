// SPDX-License-Identifier: Apache-2.0
// The life of a request on libmicrohttpd: `begin` when its headers are in, `read_body` for each piece, `dispatch` when
// it is complete, then `finish` queues the answer or suspends the connection until a Responder has one.
#include "http/server.hpp"

#include <microhttpd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "base/log.hpp"
#include "http/compression.hpp"
#include "http/exchange.hpp"
#include "http/listen_socket.hpp"
#include "http/messages.hpp"
#include "http/router.hpp"

namespace imago::http {

namespace {

using Exchange = Responder::Exchange;

// A refused body up to this size is read to its end and dropped: a connection closed with bytes unread is reset, and a
// client that is still sending would lose our answer.
constexpr std::size_t kDropBytes = 64u << 20;

// The library itself closes a connection that is quiet: one that is only idle is not to count as slow.
constexpr std::chrono::seconds kAfterTheLibrary{1};

// What the library says when it answers without asking us; a number follows.
constexpr std::string_view kLibraryRefuses = "Error processing request (HTTP response code is ";

// Room made for a body on the word of its Content-Length; beyond it, bytes must have come.
constexpr std::size_t kReserveBytes = 256 * 1024;

class MhdServer final : public Server {
 public:
  MhdServer(const ServerOptions& options, std::vector<Route> routes, ErrorWriter errors)
      : options_(options),
        max_connections_(allowed_connections(options.max_connections)),
        router_(std::move(routes)),
        errors_(std::move(errors)),
        slow_clients_({options.idle_timeout + kAfterTheLibrary, options.slow_grace, options.least_bytes_per_second}) {}
  ~MhdServer() override { drain(std::chrono::milliseconds(0)); }

  Result<void> open();
  [[nodiscard]] int port() const override { return ports_.front(); }
  [[nodiscard]] std::vector<int> ports() const override { return ports_; }
  void drain(std::chrono::milliseconds patience) override;
  Result<void> replace_tls(const TlsIdentity& identity) override;

 private:
  static MHD_Result on_accept(void* cls, const sockaddr* peer, socklen_t size);
  static MHD_Result on_access(void* cls, MHD_Connection* connection, const char* url, const char* method,
                              const char* version, const char* upload_data, std::size_t* upload_size, void** context);
  static void on_completed(void* cls, MHD_Connection* connection, void** context, MHD_RequestTerminationCode code);
  static void on_connection(void* cls, MHD_Connection* connection, void** context, MHD_ConnectionNotificationCode code);
  static void on_log(void* cls, const char* format, va_list arguments);

  Result<void> listen_at(const std::string& address, int wanted_port);
  Exchange& create(MHD_Connection* connection, const char* url, const char* method);
  MHD_Result begin(Exchange& exchange, MHD_Connection* connection);
  void find_route(Exchange& exchange) const;
  void check_headers(Exchange& exchange, MHD_Connection* connection) const;
  MHD_Result read_body(Exchange& exchange, std::string_view piece);
  void dispatch(Exchange& exchange);
  bool unpack_body(Exchange& exchange);
  MHD_Result finish(Exchange& exchange, MHD_Connection* connection);
  MHD_Result queue(MHD_Connection* connection, Response response, std::shared_ptr<Stream::Channel> channel = nullptr);
  void begin_stream(Exchange& exchange, MHD_Connection* connection);
  bool charge(Exchange& exchange, std::size_t bytes);
  void discharge(Exchange& exchange);

  const ServerOptions options_;
  const unsigned max_connections_;
  const Router router_;
  const ErrorWriter errors_;
  TlsCredentials tls_;
  SlowClients slow_clients_;
  std::vector<MHD_Daemon*> daemons_;  // one for each of ports_
  std::vector<int> ports_;
  std::atomic<unsigned> connections_{0};
  std::atomic<std::size_t> bodies_bytes_{0};
  std::atomic<bool> draining_{false};
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;                       // guards what follows
  std::condition_variable idle_;           // while draining: one of these is through
  std::unordered_set<Exchange*> open_;     // requests not yet through
  std::unordered_set<Exchange*> streams_;  // those whose answer is a stream: nobody waits for their end
};

Result<void> MhdServer::open() {
  if (options_.tls && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
    return fail(ErrorCode::Unsupported, "this libmicrohttpd was built without TLS");
  if (options_.tls) TRY_VOID(tls_.use(*options_.tls));
  TRY_VOID(listen_at(options_.address, options_.port));
  for (const Listener& more : options_.also_at) {
    const auto opened = listen_at(more.address, more.port);
    if (opened) continue;
    if (opened.error().code != ErrorCode::Unavailable) return opened;
    if (!more.skip_if_busy) return fail(ErrorCode::Unavailable, "port {} of {} is in use", more.port, more.address);
    log::warning("port {} of {} is in use: not listening there", more.port, more.address);
  }
  return {};
}

Result<void> MhdServer::listen_at(const std::string& address, int wanted_port) {
  TRY(const int socket, open_listen_socket(address, wanted_port));
  const int port = bound_port(socket);
  const auto threads = static_cast<unsigned>(std::max(options_.threads, 1));
  // The library divides its limit among its threads and then closes without a word; ours answers 503 before that.
  const unsigned library_limit = max_connections_ * 2 + 64 * threads;
  std::vector<MHD_OptionItem> items{
      {MHD_OPTION_EXTERNAL_LOGGER, reinterpret_cast<std::intptr_t>(&MhdServer::on_log), this},
      {MHD_OPTION_LISTEN_SOCKET, socket, nullptr},
      {MHD_OPTION_NOTIFY_COMPLETED, reinterpret_cast<std::intptr_t>(&MhdServer::on_completed), this},
      {MHD_OPTION_NOTIFY_CONNECTION, reinterpret_cast<std::intptr_t>(&MhdServer::on_connection), this},
      {MHD_OPTION_CONNECTION_LIMIT, static_cast<std::intptr_t>(library_limit), nullptr},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, static_cast<std::intptr_t>(options_.connection_memory_bytes), nullptr},
      {MHD_OPTION_CONNECTION_TIMEOUT, static_cast<std::intptr_t>(options_.idle_timeout.count()), nullptr},
      {MHD_OPTION_STRICT_FOR_CLIENT, 1, nullptr},
  };
  if (threads > 1) items.push_back({MHD_OPTION_THREAD_POOL_SIZE, static_cast<std::intptr_t>(threads), nullptr});
  unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
  if (options_.tls) {
    flags |= MHD_USE_TLS;
    add_tls_items(items);
  }
  items.push_back({MHD_OPTION_END, 0, nullptr});
  MHD_Daemon* daemon = MHD_start_daemon(flags, static_cast<std::uint16_t>(port), &MhdServer::on_accept, this,
                                        &MhdServer::on_access, this, MHD_OPTION_ARRAY, items.data(), MHD_OPTION_END);
  if (daemon == nullptr) {
    close(socket);
    return fail(ErrorCode::Internal, "the HTTP server on port {} did not start", port);
  }
  daemons_.push_back(daemon);
  ports_.push_back(port);
  return {};
}

void MhdServer::drain(std::chrono::milliseconds patience) {
  if (daemons_.empty()) return;
  draining_ = true;
  {
    std::unique_lock lock(mutex_);
    for (Exchange* exchange : streams_) exchange->channel->abandon();
    idle_.wait_for(lock, patience, [&] { return open_.empty(); });
    // The library aborts when it is stopped with a connection suspended: whoever still waits is answered now.
    stopping_ = true;
    for (Exchange* exchange : open_) {
      if (is_suspended(*exchange)) settle(*exchange, errors_(503, "the server is stopping", exchange->request));
    }
    idle_.wait_for(lock, std::chrono::seconds(1), [&] { return open_.empty() && streams_.empty(); });
  }
  for (MHD_Daemon* daemon : daemons_) MHD_stop_daemon(daemon);
  daemons_.clear();
}

Result<void> MhdServer::replace_tls(const TlsIdentity& identity) {
  if (!options_.tls) return fail(ErrorCode::InvalidArgument, "this server speaks no TLS");
  return tls_.use(identity);
}

void MhdServer::on_log(void* cls, const char* format, va_list arguments) {
  char text[512];
  std::vsnprintf(text, sizeof text, format, arguments);
  const std::string_view line(text, strcspn(text, "\n"));
  log::debug("libmicrohttpd: {}", line);
  // What it refuses by itself is known from here only. It is written for the log and the metrics.
  if (!line.starts_with(kLibraryRefuses)) return;
  int status = 0;
  std::from_chars(line.data() + kLibraryRefuses.size(), line.data() + line.size(), status);
  Request unknown;
  unknown.received = std::chrono::steady_clock::now();
  if (status >= 400) static_cast<void>(static_cast<MhdServer*>(cls)->errors_(status, line, unknown));
}

// New connections are closed unread while draining. Not MHD_quiesce_daemon: with epoll threads it races with them for
// the listening socket, and the one that loses aborts the process.
MHD_Result MhdServer::on_accept(void* cls, const sockaddr*, socklen_t) {
  return static_cast<MhdServer*>(cls)->draining_ ? MHD_NO : MHD_YES;
}

void MhdServer::on_connection(void* cls, MHD_Connection* connection, void** context,
                              MHD_ConnectionNotificationCode code) {
  auto& server = *static_cast<MhdServer*>(cls);
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    ++server.connections_;
    auto begun =
        std::make_unique<Connection>(Connection{&server.tls_, server.slow_clients_.open(socket_of(connection))});
    *context = begun.release();  // the library's until it says that the connection is closed
  } else {
    const std::unique_ptr<Connection> ended(static_cast<Connection*>(std::exchange(*context, nullptr)));
    server.slow_clients_.close(ended->link);
    --server.connections_;
  }
}

MHD_Result MhdServer::on_access(void* cls, MHD_Connection* connection, const char* url, const char* method, const char*,
                                const char* upload_data, std::size_t* upload_size, void** context) {
  auto& server = *static_cast<MhdServer*>(cls);
  if (*context == nullptr) {
    Exchange& exchange = server.create(connection, url, method);
    *context = &exchange;
    return server.begin(exchange, connection);
  }
  auto& exchange = *static_cast<Exchange*>(*context);
  if (*upload_size > 0) {
    const std::string_view piece(upload_data, *upload_size);
    *upload_size = 0;
    return server.read_body(exchange, piece);
  }
  if (!exchange.dispatched) server.dispatch(exchange);
  return server.finish(exchange, connection);
}

Exchange& MhdServer::create(MHD_Connection* connection, const char* url, const char* method) {
  auto exchange = std::make_shared<Exchange>();
  exchange->self = exchange;
  exchange->connection = connection;
  exchange->link = connection_of(connection).link;
  exchange->link->enter(Link::Phase::Body);
  read_head(exchange->request, connection, url, method);
  const std::scoped_lock lock(mutex_);
  open_.insert(exchange.get());
  return *exchange;
}

MHD_Result MhdServer::begin(Exchange& exchange, MHD_Connection* connection) {
  Request& request = exchange.request;
  if (connections_ > max_connections_) {
    return queue(connection, errors_(503, fmt::format("more than {} connections", max_connections_), request));
  }
  find_route(exchange);
  check_headers(exchange, connection);
  std::size_t announced = 0;
  const auto length = request.header("Content-Length");
  std::from_chars(length.data(), length.data() + length.size(), announced);
  if (announced > options_.max_body_bytes) {
    exchange.refusal = errors_(
        413, fmt::format("the body has {} bytes, at most {} are taken", announced, options_.max_body_bytes), request);
  }
  const bool waits = request.headers.contains("Expect");
  if (exchange.refusal && (announced > kDropBytes || (waits && announced > 0))) {
    return queue(connection, std::move(*exchange.refusal));
  }
  if (!exchange.refusal) request.body.reserve(std::min(announced, kReserveBytes));
  return MHD_YES;
}

void MhdServer::find_route(Exchange& exchange) const {
  Request& request = exchange.request;
  auto match = router_.match(request.method, request.path);
  if (match.route != nullptr) {
    exchange.handler = &match.route->handler;
    request.route = match.route->pattern;
    request.captures = std::move(match.captures);
  } else if (!match.allow.empty()) {
    exchange.refusal =
        errors_(405, fmt::format("{} does not take {}, only {}", request.path, request.method, match.allow), request);
    exchange.refusal->headers["Allow"] = match.allow;
  } else {
    exchange.refusal = errors_(404, fmt::format("there is nothing at {}", request.path), request);
  }
}

void MhdServer::check_headers(Exchange& exchange, MHD_Connection* connection) const {
  const Request& request = exchange.request;
  const std::size_t bytes = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
  if (exchange.refusal) return;
  if (bytes > options_.max_header_bytes) {
    exchange.refusal = errors_(
        431, fmt::format("the headers have {} bytes, at most {} are taken", bytes, options_.max_header_bytes), request);
  } else if (request.headers.size() > options_.max_header_fields) {
    exchange.refusal = errors_(
        431,
        fmt::format("there are {} headers, at most {} are taken", request.headers.size(), options_.max_header_fields),
        request);
  }
}

bool MhdServer::charge(Exchange& exchange, std::size_t bytes) {
  if (bodies_bytes_ + bytes > options_.max_bodies_bytes) return false;
  bodies_bytes_ += bytes;
  exchange.charged_bytes += bytes;
  return true;
}

void MhdServer::discharge(Exchange& exchange) { bodies_bytes_ -= std::exchange(exchange.charged_bytes, 0); }

MHD_Result MhdServer::read_body(Exchange& exchange, std::string_view piece) {
  Request& request = exchange.request;
  exchange.link->count(piece.size());
  if (!exchange.refusal) {
    const std::size_t total = request.body.size() + piece.size();
    if (total > options_.max_body_bytes) {
      exchange.refusal = errors_(413, fmt::format("the body has over {} bytes", options_.max_body_bytes), request);
    } else if (!charge(exchange, piece.size())) {
      exchange.refusal = errors_(503, "too many bytes in requests at work, try again", request);
    } else {
      request.body.append(piece);
      return MHD_YES;
    }
    std::string().swap(request.body);
  }
  // The library takes no answer in the middle of a body.
  exchange.dropped_bytes += piece.size();
  return exchange.dropped_bytes <= kDropBytes ? MHD_YES : MHD_NO;
}

void MhdServer::dispatch(Exchange& exchange) {
  exchange.dispatched = true;
  exchange.link->enter(Link::Phase::Work);
  if (exchange.refusal || !unpack_body(exchange)) return settle(exchange, std::move(*exchange.refusal));
  try {
    (*exchange.handler)(exchange.request, Responder(exchange.self));
  } catch (const std::exception& error) {  // the event loop's entry: nothing may pass through C
    log::error("{} {}: {}", exchange.request.method, exchange.request.path, error.what());
    settle(exchange, errors_(500, "internal error", exchange.request));
  }
}

/// False, with a refusal, when it is packed in a way that cannot be undone.
bool MhdServer::unpack_body(Exchange& exchange) {
  Request& request = exchange.request;
  const auto packed = request.headers.find("Content-Encoding");
  if (packed == request.headers.end()) return true;
  const auto refuse = [&](int status, const Error& error) {
    exchange.refusal = errors_(status, error.message, request);
    return false;
  };
  const auto coding = parse_coding(packed->second);
  if (!coding) return refuse(415, coding.error());
  if (*coding == Coding::Identity) return true;
  auto body = decompress(request.body, *coding, options_.max_body_bytes);
  if (!body) return refuse(body.error().code == ErrorCode::ResourceExhausted ? 413 : 400, body.error());
  if (body->size() > request.body.size() && !charge(exchange, body->size() - request.body.size()))
    return refuse(503, {ErrorCode::ResourceExhausted, "too many bytes in requests at work, try again"});
  request.body = std::move(*body);
  request.headers.erase(packed);  // it was of the packed body
  request.headers.erase("Content-Length");
  return true;
}

MHD_Result MhdServer::finish(Exchange& exchange, MHD_Connection* connection) {
  std::unique_lock lock(exchange.mutex);
  if (!exchange.answer) {
    if (!stopping_) {
      exchange.suspended = true;
      MHD_suspend_connection(connection);
      return MHD_YES;
    }
    exchange.answer = errors_(503, "the server is stopping", exchange.request);
  }
  Response answer = std::move(*exchange.answer);
  auto channel = exchange.channel;
  lock.unlock();
  discharge(exchange);  // before the client can know: its next request finds the room free
  // A Responder destroyed unanswered leaves a status of 0: only here is the one who writes errors at hand.
  if (answer.status == 0) answer = errors_(500, "the request was not answered", exchange.request);
  if (channel) {
    begin_stream(exchange, connection);
  } else {
    compress_answer(exchange.request, answer);
    exchange.link->enter(Link::Phase::Answer, std::max(answer.body.size(), answer.static_body.size()));
  }
  return queue(connection, std::move(answer), std::move(channel));
}

void MhdServer::begin_stream(Exchange& exchange, MHD_Connection* connection) {
  std::string().swap(exchange.request.body);
  exchange.channel->attach(connection);
  const std::scoped_lock lock(mutex_);
  open_.erase(&exchange);
  streams_.insert(&exchange);
  if (!draining_) return;
  exchange.channel->abandon();
  idle_.notify_all();
}

MHD_Result MhdServer::queue(MHD_Connection* connection, Response response, std::shared_ptr<Stream::Channel> channel) {
  const auto status = static_cast<unsigned>(response.status);
  if (draining_) response.headers["Connection"] = "close";
  const ResponseHandle handle = to_mhd(std::move(response), std::move(channel));
  return handle ? MHD_queue_response(connection, status, handle.get()) : MHD_NO;
}

void MhdServer::on_completed(void* cls, MHD_Connection*, void** context, MHD_RequestTerminationCode) {
  auto& server = *static_cast<MhdServer*>(cls);
  auto* exchange = static_cast<Exchange*>(*context);
  if (exchange == nullptr) return;
  *context = nullptr;
  if (!exchange->dispatched && exchange->link->was_cut()) {  // written for the log and the metrics: nobody reads it
    static_cast<void>(server.errors_(408, "the body came too slowly", exchange->request));
  }
  exchange->link->enter(Link::Phase::Headers);
  server.discharge(*exchange);
  std::shared_ptr<Exchange> last;
  {
    const std::scoped_lock lock(exchange->mutex);
    exchange->connection = nullptr;
    if (exchange->channel) exchange->channel->attach(nullptr);
    last = std::move(exchange->self);
  }
  const std::scoped_lock lock(server.mutex_);
  server.open_.erase(exchange);
  server.streams_.erase(exchange);
  if (server.draining_) server.idle_.notify_all();
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, std::vector<Route> routes,
                                              ErrorWriter errors) {
  auto server = std::make_unique<MhdServer>(options, std::move(routes), std::move(errors));
  TRY_VOID(server->open());
  return server;
}

}  // namespace imago::http
