// SPDX-License-Identifier: Apache-2.0
#include "fuzz/requests/connection.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace imago::fuzz {
namespace {

sockaddr_in loopback(unsigned host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl((127U << 24) + host);
  return address;
}

}  // namespace

bool Connection::open(int port, unsigned source) {
  close(false);
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd_, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const sockaddr_in from = loopback(1 + source % 250, 0), to = loopback(1, port);
  const bool bound = bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0;
  const bool connected = bound && connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  if (!connected) {
    close(false);
    return false;
  }
  fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
  return true;
}

bool Connection::write(std::size_t most) {
  while (has_more_to_write()) {
    const auto size = std::min(most, out_.size() - sent_);
    const auto sent = send(fd_, out_.data() + sent_, size, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    sent_ += static_cast<std::size_t>(sent);
  }
  out_.clear();
  sent_ = 0;
  return true;
}

std::optional<std::string> Connection::read() {
  std::string received;
  char piece[64 * 1024];
  for (;;) {
    const auto size = recv(fd_, piece, sizeof piece, 0);
    if (size > 0) {
      received.append(piece, static_cast<std::size_t>(size));
      continue;
    }
    const bool more_later = size < 0 && (errno == EAGAIN || errno == EINTR);
    if (more_later || !received.empty()) return received;
    return std::nullopt;
  }
}

void Connection::close(bool abruptly) {
  if (fd_ < 0) return;
  if (abruptly) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  ::close(std::exchange(fd_, -1));
  out_.clear();
  sent_ = 0;
}

}  // namespace imago::fuzz
