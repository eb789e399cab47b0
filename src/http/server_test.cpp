// SPDX-License-Identifier: Apache-2.0
#include "http/server.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <semaphore>
#include <thread>

#include "http/client.hpp"

namespace imago::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Response write_error(int status, std::string_view text, const Request&) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}},
          .body = fmt::format(R"({{"error":"{}"}})", text)};
}

constexpr std::string_view kStatic = "static bytes";

/// A server with routes that echo, wait until told, and misbehave.
class ServerTest : public testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    options.port = 0;
    std::vector<Route> routes{
        {"GET", "/hello", [](const Request&, Responder r) { r.send({.body = "hello"}); }},
        {"GET", "/static", [](const Request&, Responder r) { r.send({.static_body = kStatic}); }},
        {"POST", "/echo", [](const Request& q, Responder r) { r.send({.body = q.body}); }},
        {"GET", "/look/{name}", &ServerTest::describe},
        {"GET", "/later", [this](const Request&, Responder r) { waiting_.set_value(std::move(r)); }},
        {"GET", "/thread", [this](const Request&, Responder r) { answer_from_another_thread(std::move(r)); }},
        {"GET", "/stream",
         [this](const Request&, Responder r) {
           streams_.push_back(r.stream({.headers = {{"Content-Type", "text/event-stream"}}, .body = "ignored"}));
           streaming_.release();
         }},
        {"GET", "/forget", [](const Request&, Responder) {}},
        {"GET", "/throw", [](const Request&, Responder) { throw std::runtime_error("secret"); }},
        {"GET", "/split",
         [](const Request&, Responder r) {
           r.send({.headers = {{"X-Bad", "a\r\nSet-Cookie: b"}}, .body = "x"});
         }},
    };
    auto started = Server::start(options, std::move(routes), &write_error);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    server_ = std::move(*started);
  }
  void TearDown() override {
    server_.reset();
    for (auto& thread : threads_) thread.join();
  }

  static void describe(const Request& request, Responder responder) {
    responder.send({.body = fmt::format("{} {} route={} name={} q={} h={} peer={}", request.method, request.path,
                                        request.route, request.captures.at("name"), request.parameter("q"),
                                        request.header("x-some"), request.peer)});
  }

  void answer_from_another_thread(Responder responder) {
    const std::scoped_lock lock(threads_mutex_);
    threads_.emplace_back([r = std::move(responder)]() mutable { r.send({.body = "from afar"}); });
  }

  [[nodiscard]] std::string url(std::string_view path) const {
    return fmt::format("http://127.0.0.1:{}{}", server_->port(), path);
  }

  ClientResponse send(const std::string& method, std::string_view path, std::string body = {}, Fields headers = {}) {
    auto response = fetch({.method = method, .url = url(path), .headers = std::move(headers), .body = std::move(body)});
    EXPECT_TRUE(response.has_value()) << response.error().message;
    return response.value_or(ClientResponse{});
  }

  [[nodiscard]] int connect_raw() const {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(server_->port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  /// Sends `text` as it is and reads to the end of the connection.
  [[nodiscard]] std::string exchange_raw(std::string_view text) const {
    const int fd = connect_raw();
    EXPECT_EQ(write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    std::string answer;
    char buffer[4096];
    for (ssize_t n = 0; (n = read(fd, buffer, sizeof buffer)) > 0;) answer.append(buffer, static_cast<std::size_t>(n));
    close(fd);
    return answer;
  }

  /// A connection that asked for /stream and has read the head of its answer.
  [[nodiscard]] int connect_to_stream() {
    const int fd = connect_raw();
    const std::string_view request = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";
    EXPECT_EQ(write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
    streaming_.acquire();
    return fd;
  }

  std::unique_ptr<Server> server_;
  std::promise<Responder> waiting_;
  std::vector<Stream> streams_;  // one loop adds to them, and only before streaming_ is released
  std::counting_semaphore<> streaming_{0};
  std::mutex threads_mutex_;
  std::vector<std::thread> threads_;
};

TEST_F(ServerTest, AnswersARequest) {
  start();
  const auto response = send("GET", "/hello");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "hello");
}

TEST_F(ServerTest, HandsTheHandlerEverythingOfTheRequest) {
  start();
  EXPECT_EQ(send("GET", "/look/a%20b?q=1%262&q2=+", {}, {{"X-Some", "value"}}).body,
            "GET /look/a b route=/look/{name} name=a b q=1&2 h=value peer=127.0.0.1");
}

TEST_F(ServerTest, SendsStaticBytesWithoutACopy) {
  start();
  EXPECT_EQ(send("GET", "/static").body, kStatic);
}

TEST_F(ServerTest, AnswersHeadWithTheLengthAndNoBody) {
  start();
  const auto response = send("HEAD", "/hello");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.at("content-length"), "5");
  EXPECT_EQ(response.body, "");
}

TEST_F(ServerTest, AnswersFromAnotherThread) {
  start();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(send("GET", "/thread").body, "from afar");
}

TEST_F(ServerTest, KeepsTheConnectionForTheNextRequest) {
  start();
  const auto answer = exchange_raw(
      "GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /thread HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nend");
  EXPECT_THAT(answer, HasSubstr("hello"));
  EXPECT_THAT(answer, HasSubstr("from afar"));
  EXPECT_THAT(answer, HasSubstr("end"));
}

TEST_F(ServerTest, ReturnsALargeBodyWhole) {
  start();
  std::string body(3'000'000, 'x');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 >> 3);
  EXPECT_TRUE(send("POST", "/echo", body).body == body);
}

TEST_F(ServerTest, TakesChunkedBodies) {
  start();
  EXPECT_EQ(send("POST", "/echo", "in chunks", {{"Transfer-Encoding", "chunked"}}).body, "in chunks");
}

TEST_F(ServerTest, NamesAnUnknownPathAndTheMethodsOfAKnownOne) {
  start();
  const auto unknown = send("GET", "/nowhere");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.body, R"({"error":"there is nothing at /nowhere"})");
  const auto wrong = send("POST", "/hello", "body");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.at("Allow"), "GET, HEAD");
}

TEST_F(ServerTest, RefusesABodyOverTheLimitByItsAnnouncedLength) {
  start({.max_body_bytes = 1000});
  EXPECT_EQ(send("POST", "/echo", std::string(1000, 'x')).status, 200);
  const auto refused = send("POST", "/echo", std::string(1001, 'x'));
  EXPECT_EQ(refused.status, 413);
  EXPECT_THAT(refused.body, HasSubstr("1001 bytes, at most 1000"));
}

TEST_F(ServerTest, RefusesAHugeAnnouncedBodyWithoutReadingIt) {
  start({.max_body_bytes = 1000});
  const auto answer = exchange_raw("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413"));
}

TEST_F(ServerTest, DoesNotAskAClientToGoOnWithABodyOverTheLimit) {
  start({.max_body_bytes = 1000});
  const auto answer =
      exchange_raw("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413"));
}

TEST_F(ServerTest, AsksAWaitingClientToGoOn) {
  start();
  const auto answer = exchange_raw(
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\nhi");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 100"));
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 200"));
}

TEST_F(ServerTest, RefusesAChunkedBodyOnceItIsOverTheLimit) {
  start({.max_body_bytes = 1000});
  EXPECT_EQ(send("POST", "/echo", std::string(200'000, 'x'), {{"Transfer-Encoding", "chunked"}}).status, 413);
}

TEST_F(ServerTest, BoundsTheBytesOfAllBodiesTogether) {
  start({.max_bodies_bytes = 1000});
  EXPECT_EQ(send("POST", "/echo", std::string(1001, 'x')).status, 503);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(send("POST", "/echo", std::string(900, 'x')).status, 200);
}

TEST_F(ServerTest, RefusesHeadersOverTheLimit) {
  start();
  EXPECT_EQ(send("GET", "/hello", {}, {{"X-Long", std::string(100'000, 'x')}}).status, 431);
}

TEST_F(ServerTest, RefusesConnectionsOverTheLimitWith503) {
  start({.threads = 1, .max_connections = 1});
  const int first = connect_raw();
  const auto second = send("GET", "/hello");
  close(first);
  EXPECT_EQ(second.status, 503);
  EXPECT_THAT(second.body, HasSubstr("more than 1 connections"));
}

TEST_F(ServerTest, RefusesWhatIsNotHttp) {
  start();
  EXPECT_THAT(exchange_raw("nonsense\r\n\r\n"), testing::Not(HasSubstr("200 OK")));
  EXPECT_THAT(exchange_raw("GET /hello HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));  // no Host
}

TEST_F(ServerTest, GivesA500WithoutDetailsWhenAHandlerFails) {
  start();
  for (const auto* path : {"/forget", "/throw"}) {
    const auto response = send("GET", path);
    EXPECT_EQ(response.status, 500) << path;
    EXPECT_THAT(response.body, testing::Not(HasSubstr("secret")));
  }
}

TEST_F(ServerTest, LetsNoHandlerSplitAResponse) {
  start();
  const auto response = send("GET", "/split");
  EXPECT_EQ(response.status, 200);
  EXPECT_FALSE(response.headers.contains("Set-Cookie"));
}

TEST_F(ServerTest, SurvivesAClientThatLeftBeforeItsAnswer) {
  start();
  const int fd = connect_raw();
  const std::string_view request = "GET /later HTTP/1.1\r\nHost: x\r\n\r\n";
  ASSERT_EQ(write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
  Responder responder = waiting_.get_future().get();
  close(fd);
  responder.send({.body = std::string(1'000'000, 'x')});
  EXPECT_EQ(send("GET", "/hello").status, 200);
}

TEST_F(ServerTest, ClosesAConnectionThatSaysNothing) {
  start({.idle_timeout = std::chrono::seconds(1)});
  EXPECT_EQ(exchange_raw("GET /hel"), "");
}

TEST_F(ServerTest, FinishesWhatIsInWhenDrained) {
  start();
  auto answer = std::async(std::launch::async, [&] { return fetch({.url = url("/later")}); });
  Responder responder = waiting_.get_future().get();
  auto drained = std::async(std::launch::async, [&] { server_->drain(std::chrono::seconds(20)); });
  while (fetch({.url = url("/hello")})) std::this_thread::yield();  // until new connections are refused
  responder.send({.body = "late but there"});
  const auto response = answer.get();
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->body, "late but there");
  EXPECT_EQ(response->headers.at("Connection"), "close");
  drained.get();
}

TEST_F(ServerTest, AnswersWhoeverStillWaitsWhenPatienceEnds) {
  start();
  auto answer = std::async(std::launch::async, [&] { return fetch({.url = url("/later")}); });
  Responder responder = waiting_.get_future().get();
  server_->drain(std::chrono::milliseconds(1));
  const auto response = answer.get();
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 503);
  server_.reset();
  responder.send({.body = "to nobody"});
}

// libmicrohttpd's own way to stop accepting aborted the process now and then, when a thread met it at the listening
// socket.
TEST_F(ServerTest, DrainsAHundredTimesWhileClientsKeepComing) {
  for (int round = 0; round < 100; ++round) {
    start({.threads = 2});
    std::atomic<bool> done{false};
    std::thread client([&] {
      while (!done) static_cast<void>(fetch({.url = url("/hello"), .timeout = std::chrono::milliseconds(500)}));
    });
    server_->drain(std::chrono::seconds(1));
    done = true;
    client.join();
    server_.reset();
  }
}

std::string read_until(int fd, std::string_view end) {
  std::string text;
  char byte = 0;
  while (!text.ends_with(end) && read(fd, &byte, 1) == 1) text += byte;
  return text;
}

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

TEST_F(ServerTest, SendsEachPieceOfAStreamWhenItComes) {
  start();
  const int fd = connect_to_stream();
  const std::string head = read_until(fd, "\r\n\r\n");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(head, HasSubstr("text/event-stream"));
  for (const auto* piece : {"data: 1\n\n", "data: 2\n\n", "data: 3\n\n"}) {
    ASSERT_TRUE(streams_[0].send(piece));
    EXPECT_THAT(read_until(fd, piece), HasSubstr(piece));  // the stream is still open: it would wait here for ever
  }
  ASSERT_TRUE(streams_[0].send("the rest"));
  streams_.clear();
  EXPECT_THAT(read_until(fd, "0\r\n\r\n"), HasSubstr("the rest"));
  const std::string_view next = "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  ASSERT_EQ(write(fd, next.data(), next.size()), static_cast<ssize_t>(next.size()));
  EXPECT_THAT(read_all(fd), HasSubstr("hello"));
  close(fd);
}

TEST_F(ServerTest, KeepsTheOrderOfWhatAnotherThreadStreams) {
  start();
  const int fd = connect_to_stream();
  std::string sent;
  for (int i = 0; i < 20'000; ++i) sent += fmt::format("{};", i);
  std::thread sender([&] {
    for (std::size_t at = 0; at < sent.size(); at += 7) EXPECT_TRUE(streams_[0].send(sent.substr(at, 7)));
    streams_.clear();
  });
  std::string got = read_until(fd, "0\r\n\r\n");
  sender.join();
  close(fd);
  std::string body;
  for (std::size_t at = got.find("\r\n\r\n") + 4; at < got.size();) {
    const std::size_t size = std::stoul(got.substr(at, 8), nullptr, 16);
    at = got.find("\r\n", at) + 2;
    body += got.substr(at, size);
    at += size + 2;
  }
  EXPECT_TRUE(body == sent) << body.size() << " of " << sent.size();
}

TEST_F(ServerTest, TellsTheSenderThatTheClientOfAStreamHasGone) {
  start();
  const int fd = connect_to_stream();
  EXPECT_TRUE(streams_[0].send("hello"));
  close(fd);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  bool alive = true;
  while (alive && std::chrono::steady_clock::now() < give_up) {
    alive = streams_[0].send(".");
    std::this_thread::yield();
  }
  EXPECT_FALSE(alive);
  EXPECT_EQ(send("GET", "/hello").status, 200);
}

TEST_F(ServerTest, EndsAStreamWhoseClientDoesNotRead) {
  start();
  const int fd = connect_to_stream();
  const std::string piece(64 * 1024, 'x');
  int accepted = 0;
  while (accepted < 10'000 && streams_[0].send(piece)) ++accepted;
  EXPECT_LT(accepted, 1000);  // what the sockets hold, and 1 MiB
  EXPECT_FALSE(streams_[0].send("."));
  EXPECT_EQ(send("GET", "/hello").status, 200);
  close(fd);
}

TEST_F(ServerTest, StreamsToNobodyWhenTheClientLeftBefore) {
  start({.threads = 1});
  const int fd = connect_raw();
  const std::string_view request = "GET /later HTTP/1.1\r\nHost: x\r\n\r\n";
  ASSERT_EQ(write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
  Responder responder = waiting_.get_future().get();
  server_.reset();
  Stream stream = responder.stream({});
  EXPECT_FALSE(stream.send("x"));
  close(fd);
}

TEST_F(ServerTest, EndsOpenStreamsAtOnceWhenDrained) {
  start();
  const int quiet = connect_to_stream();
  const int stuck = connect_to_stream();
  EXPECT_TRUE(streams_[0].send("last words"));
  const std::string piece(64 * 1024, 'x');
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(streams_[1].send(piece));
  EXPECT_THAT(read_until(quiet, "last words"), HasSubstr("last words"));
  const auto began = std::chrono::steady_clock::now();
  server_->drain(std::chrono::seconds(60));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
  EXPECT_FALSE(streams_[0].send("x"));
  EXPECT_FALSE(streams_[1].send("x"));
  EXPECT_THAT(read_all(quiet), testing::EndsWith("0\r\n\r\n"));
  close(quiet);
  close(stuck);
}

TEST_F(ServerTest, DrainsWhileStreamsBeginAndEnd) {
  for (int round = 0; round < 30; ++round) {
    auto server = Server::start({.port = 0, .threads = 2},
                                {{"GET", "/stream",
                                  [](const Request&, Responder r) {
                                    Stream stream = r.stream({});
                                    for (int i = 0; i < 3; ++i) stream.send("piece");
                                  }}},
                                &write_error);
    ASSERT_TRUE(server.has_value());
    const auto address = fmt::format("http://127.0.0.1:{}/stream", (*server)->port());
    std::atomic<bool> done{false};
    std::thread client([&] {
      while (!done) static_cast<void>(fetch({.url = address, .timeout = std::chrono::milliseconds(500)}));
    });
    (*server)->drain(std::chrono::seconds(1));
    done = true;
    client.join();
  }
}

TEST_F(ServerTest, AnswersHeadOfAStreamWithoutABody) {
  start();
  const auto response = send("HEAD", "/stream");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
}

TEST_F(ServerTest, SaysThatAPortIsInUse) {
  start();
  const auto second = Server::start({.port = server_->port()}, {}, &write_error);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(second.error().message, fmt::format("port {} is in use: choose another with --port", server_->port()));
}

TEST_F(ServerTest, AnswersAtSeveralPlacesAndSkipsBusyOnesOnRequest) {
  start();
  const int busy = server_->port();
  const std::vector<Route> routes{{"GET", "/hello", [](const Request&, Responder r) { r.send({.body = "me too"}); }}};
  auto several = Server::start({.port = 0, .also_at = {{.port = 0}, {.port = busy, .skip_if_busy = true}, {.port = 0}}},
                               routes, &write_error);
  ASSERT_TRUE(several.has_value()) << several.error().message;
  const auto ports = (*several)->ports();
  ASSERT_EQ(ports.size(), 3U);
  EXPECT_EQ(ports[0], (*several)->port());
  for (const int port : ports)
    EXPECT_EQ(fetch({.url = fmt::format("http://127.0.0.1:{}/hello", port)})->body, "me too");
  (*several)->drain(std::chrono::seconds(1));
  for (const int port : ports) EXPECT_FALSE(fetch({.url = fmt::format("http://127.0.0.1:{}/hello", port)})) << port;

  const auto refused = Server::start({.port = 0, .also_at = {{.port = busy}}}, routes, &write_error);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message, fmt::format("port {} of 127.0.0.1 is in use", busy));
}

TEST_F(ServerTest, SaysThatAnAddressIsNotOurs) {
  EXPECT_EQ(Server::start({.address = "192.0.2.1", .port = 0}, {}, &write_error).error().code,
            ErrorCode::InvalidArgument);
  EXPECT_EQ(Server::start({.port = 70'000}, {}, &write_error).error().code, ErrorCode::InvalidArgument);
}

TEST_F(ServerTest, ListensOnAllAddressesOfBothFamilies) {
  auto server =
      Server::start({.address = "::", .port = 0},
                    {{"GET", "/who", [](const Request& q, Responder r) { r.send({.body = q.peer}); }}}, &write_error);
  if (!server) GTEST_SKIP() << "no IPv6 here: " << server.error().message;
  const auto v4 = fetch({.url = fmt::format("http://127.0.0.1:{}/who", (*server)->port())});
  ASSERT_TRUE(v4.has_value()) << v4.error().message;
  EXPECT_EQ(v4->body, "127.0.0.1");
}

TEST(Client, TellsTheFailuresApart) {
  auto server = Server::start(
      {.port = 0}, {{"GET", "/big", [](const Request&, Responder r) { r.send({.body = std::string(1000, 'x')}); }}},
      &write_error);
  ASSERT_TRUE(server.has_value());
  const auto url = fmt::format("http://127.0.0.1:{}/big", (*server)->port());
  EXPECT_EQ(fetch({.url = url, .max_response_bytes = 999}).error().code, ErrorCode::ResourceExhausted);
  EXPECT_EQ(fetch({.url = url, .max_response_bytes = 1000})->body.size(), 1000U);
  EXPECT_EQ(fetch({.url = "file:///etc/passwd"}).error().code, ErrorCode::InvalidArgument);
  server->reset();
  EXPECT_EQ(fetch({.url = url}).error().code, ErrorCode::Unavailable);
}

TEST(Fields, CompareNamesWithoutCase) {
  const Fields fields{{"Content-Type", "a"}};
  EXPECT_TRUE(fields.contains("content-type"));
  EXPECT_TRUE(fields.contains("CONTENT-TYPE"));
  EXPECT_FALSE(fields.contains("Content"));
}

}  // namespace
}  // namespace imago::http
