// SPDX-License-Identifier: Apache-2.0
// What the tests of the server share: one that runs for a test, and ways to talk to it, raw ones too.
#pragma once

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/client.hpp"
#include "http/server.hpp"

namespace imago::http::testing {

inline Response write_error(int status, std::string_view text, const Request&) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}},
          .body = fmt::format(R"({{"error":"{}"}})", text)};
}

inline void write_all(int fd, std::string_view text) {
  EXPECT_EQ(write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

/// To the end of the connection.
inline std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

inline std::string read_until(int fd, std::string_view end) {
  std::string text;
  char byte = 0;
  while (!text.ends_with(end) && read(fd, &byte, 1) == 1) text += byte;
  return text;
}

/// A server with a route that says hello, one that waits until it is told what to answer, and those of the test.
class RunningServer : public ::testing::Test {
 protected:
  [[nodiscard]] virtual std::vector<Route> routes() = 0;

  void start(ServerOptions options = {}) {
    options.port = 0;
    std::vector<Route> all = routes();
    all.push_back({"GET", "/hello", [](const Request&, Responder r) { r.send({.body = "hello"}); }});
    all.push_back({"GET", "/later", [this](const Request&, Responder r) { waiting_.set_value(std::move(r)); }});
    auto started = Server::start(options, std::move(all), &write_error);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    server_ = std::move(*started);
  }
  void TearDown() override { server_.reset(); }

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
  /// A connection on which `path` was asked for.
  [[nodiscard]] int connect_and_get(std::string_view path) const {
    const int fd = connect_raw();
    write_all(fd, fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", path));
    return fd;
  }
  /// Sends `text` as it is and reads to the end of the connection.
  [[nodiscard]] std::string exchange_raw(std::string_view text) const {
    const int fd = connect_raw();
    write_all(fd, text);
    std::string answer = read_all(fd);
    close(fd);
    return answer;
  }

  std::unique_ptr<Server> server_;
  std::promise<Responder> waiting_;
};

}  // namespace imago::http::testing
