// SPDX-License-Identifier: Apache-2.0
#include "http/server.hpp"

#include <future>
#include <thread>

#include "http/test_server.hpp"

namespace imago::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using testing::write_error;

constexpr std::string_view kStatic = "static bytes";

/// Routes that echo, answer from afar, and misbehave.
class ServerTest : public testing::RunningServer {
 protected:
  std::vector<Route> routes() override {
    return {
        {"GET", "/static", [](const Request&, Responder r) { r.send({.static_body = kStatic}); }},
        {"POST", "/echo", [](const Request& q, Responder r) { r.send({.body = q.body}); }},
        {"GET", "/look/{name}", &ServerTest::describe},
        {"GET", "/thread", [this](const Request&, Responder r) { answer_from_another_thread(std::move(r)); }},
        {"GET", "/forget", [](const Request&, Responder) {}},
        {"GET", "/throw", [](const Request&, Responder) { throw std::runtime_error("secret"); }},
        {"GET", "/split",
         [](const Request&, Responder r) {
           r.send({.headers = {{"X-Bad", "a\r\nSet-Cookie: b"}}, .body = "x"});
         }},
    };
  }
  void TearDown() override {
    RunningServer::TearDown();
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

 private:
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
  EXPECT_THAT(exchange_raw("nonsense\r\n\r\n"), Not(HasSubstr("200 OK")));
  EXPECT_THAT(exchange_raw("GET /hello HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));  // no Host
}

TEST_F(ServerTest, GivesA500WithoutDetailsWhenAHandlerFails) {
  start();
  for (const auto* path : {"/forget", "/throw"}) {
    const auto response = send("GET", path);
    EXPECT_EQ(response.status, 500) << path;
    EXPECT_THAT(response.body, Not(HasSubstr("secret")));
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
  const int fd = connect_and_get("/later");
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
