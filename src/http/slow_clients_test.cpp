// SPDX-License-Identifier: Apache-2.0
#include "http/slow_clients.hpp"

#include <poll.h>

#include "http/compression.hpp"
#include "http/test_server.hpp"

namespace imago::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

/// Both ends of a connection.
struct Pair {
  Pair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0); }
  ~Pair() {
    close(ends[0]);
    close(ends[1]);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  /// The other end is shut within `wait`.
  [[nodiscard]] bool ends_within(milliseconds wait) const {
    pollfd look{.fd = ends[1], .events = POLLIN, .revents = 0};
    return poll(&look, 1, static_cast<int>(wait.count())) == 1;
  }

  int ends[2] = {-1, -1};
};

constexpr milliseconds kLong{5000};

TEST(SlowClients, CutsOneWhoseHeadersDoNotCome) {
  SlowClients clients({.headers = milliseconds(50), .grace = seconds(60)});
  const Pair pair;
  Link* link = clients.open(pair.ends[0]);
  EXPECT_TRUE(pair.ends_within(kLong));
  EXPECT_TRUE(link->was_cut());
}

TEST(SlowClients, CutsABodyThatTrickles) {
  SlowClients clients({.headers = seconds(60), .grace = milliseconds(50), .bytes_per_second = 1'000'000});
  const Pair pair;
  Link* link = clients.open(pair.ends[0]);
  link->enter(Link::Phase::Body);
  link->count(10);
  EXPECT_TRUE(pair.ends_within(kLong));
}

TEST(SlowClients, CutsAReaderThatDoesNotRead) {
  SlowClients clients({.headers = seconds(60), .grace = milliseconds(50), .bytes_per_second = 1'000'000});
  const Pair pair;
  clients.open(pair.ends[0])->enter(Link::Phase::Answer, 1000);
  EXPECT_TRUE(pair.ends_within(kLong));
}

TEST(SlowClients, WaitsForWhomItShould) {
  SlowClients clients({.headers = milliseconds(50), .grace = milliseconds(50), .bytes_per_second = 1});
  const Pair working, coming, late;
  clients.open(working.ends[0])->enter(Link::Phase::Work);
  Link* body = clients.open(coming.ends[0]);
  body->enter(Link::Phase::Body);
  body->count(1000);  // a thousand seconds' worth
  clients.open(late.ends[0]);
  ASSERT_TRUE(late.ends_within(kLong)) << "it has looked at all of them";
  EXPECT_FALSE(working.ends_within(milliseconds(0))) << "that the server takes its time is no fault of the client";
  EXPECT_FALSE(coming.ends_within(milliseconds(0)));
}

TEST(SlowClients, LetsGoOfOneThatWentAwayInTheMiddle) {
  SlowClients clients({.headers = seconds(5), .grace = seconds(5)});  // it looks every half second
  const Pair headers, body, working, unread;
  Link* gone = clients.open(headers.ends[0]);
  clients.open(body.ends[0])->enter(Link::Phase::Body);
  clients.open(working.ends[0])->enter(Link::Phase::Work);
  clients.open(unread.ends[0])->enter(Link::Phase::Body);
  ASSERT_EQ(send(unread.ends[1], "x", 1, 0), 1);
  for (const Pair* pair : {&headers, &body, &working, &unread}) shutdown(pair->ends[1], SHUT_WR);
  EXPECT_TRUE(headers.ends_within(milliseconds(4000)));
  EXPECT_TRUE(body.ends_within(milliseconds(500)));
  EXPECT_FALSE(working.ends_within(milliseconds(0))) << "it may wait for its answer with its own end shut";
  EXPECT_FALSE(unread.ends_within(milliseconds(0))) << "the rest of the request has come";
  EXPECT_FALSE(gone->was_cut()) << "it was not slow";
}

class SlowServerTest : public testing::RunningServer {
 protected:
  std::vector<Route> routes() override {
    return {{"POST", "/echo", [](const Request& q, Responder r) { r.send({.body = q.body}); }},
            {"GET", "/big", [](const Request&, Responder r) { r.send({.body = std::string(64 << 20, 'x')}); }}};
  }
};

/// Writes a byte every 10 ms until the other end has had enough; how long that took.
milliseconds trickle(int fd, std::string_view bytes) {
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; std::chrono::steady_clock::now() - begin < seconds(20); ++i) {
    if (send(fd, &bytes[i % bytes.size()], 1, MSG_NOSIGNAL) != 1) break;
    pollfd look{.fd = fd, .events = POLLIN, .revents = 0};
    if (poll(&look, 1, 10) == 1) break;
  }
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
}

TEST_F(SlowServerTest, ClosesOnWhomHeadersTrickle) {
  start({.idle_timeout = seconds(1)});
  const int fd = connect_raw();
  testing::write_all(fd, "GET /hello HTTP/1.1\r\nX-Slow: ");
  EXPECT_LT(trickle(fd, "x"), seconds(10));
  close(fd);
  EXPECT_EQ(send("GET", "/hello").status, 200);
}

TEST_F(SlowServerTest, ClosesOnWhomABodyTricklesAndSaysSo) {
  std::promise<int> told;
  const auto errors = [&](int status, std::string_view, const Request& request) {
    EXPECT_EQ(request.route, "/echo");
    told.set_value(status);
    return Response{.status = status};
  };
  const ServerOptions options{.port = 0, .slow_grace = milliseconds(200), .least_bytes_per_second = 1'000'000};
  server_ = Server::start(options, routes(), errors).value();
  const int fd = connect_raw();
  testing::write_all(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_LT(trickle(fd, "x"), seconds(10));
  close(fd);
  auto status = told.get_future();
  ASSERT_EQ(status.wait_for(seconds(10)), std::future_status::ready);
  EXPECT_EQ(status.get(), 408);
  EXPECT_EQ(send("POST", "/echo", std::string(100'000, 'y')).body.size(), 100'000U) << "a quick one is taken";
}

TEST_F(SlowServerTest, ClosesOnWhoeverDoesNotReadItsAnswer) {
  start({.slow_grace = milliseconds(200), .least_bytes_per_second = 1'000'000'000});
  const int fd = connect_and_get("/big");
  pollfd look{.fd = fd, .events = 0, .revents = 0};
  EXPECT_EQ(poll(&look, 1, 10'000), 1) << "closed with most of it unread";
  close(fd);
}

TEST_F(SlowServerTest, KeepsAConnectionThatIsUsed) {
  start({.idle_timeout = seconds(1), .slow_grace = milliseconds(100)});
  const int fd = connect_raw();
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < milliseconds(1500)) {
    testing::write_all(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_THAT(testing::read_until(fd, "hello"), HasSubstr("200 OK"));
  }
  close(fd);
}

TEST_F(SlowServerTest, UnpacksABodyThatCameCompressed) {
  start({.max_body_bytes = 100'000});
  const std::string text(50'000, 'z');
  const auto post = [&](std::string body, const char* coding) {
    return send("POST", "/echo", std::move(body), {{"Content-Encoding", coding}});
  };
  EXPECT_EQ(post(compress(text, Coding::Gzip), "gzip").body, text);
  EXPECT_EQ(post(compress(text, Coding::Deflate), "deflate").body, text);
  EXPECT_EQ(post(text, "identity").body, text);
  const auto bomb = post(compress(std::string(10 << 20, '\0'), Coding::Gzip), "gzip");
  EXPECT_EQ(bomb.status, 413);
  EXPECT_THAT(bomb.body, HasSubstr("over 100000 when unpacked"));
  EXPECT_EQ(post("not gzip", "gzip").status, 400);
  EXPECT_EQ(post(text, "br").status, 415);
}

TEST_F(SlowServerTest, NamesTheLimitOnHeaders) {
  start({.max_header_bytes = 2000, .max_header_fields = 10});
  const auto large = send("GET", "/hello", {}, {{"X-Long", std::string(3000, 'x')}});
  EXPECT_EQ(large.status, 431);
  EXPECT_THAT(large.body, HasSubstr("at most 2000 are taken"));
  Fields many;
  for (int i = 0; i < 12; ++i) many.emplace(fmt::format("X-{}", i), "x");
  const auto refused = send("GET", "/hello", {}, many);
  EXPECT_EQ(refused.status, 431);
  EXPECT_THAT(refused.body, HasSubstr("at most 10 are taken"));
  EXPECT_EQ(send("GET", "/hello").status, 200);
}

}  // namespace
}  // namespace imago::http
