// SPDX-License-Identifier: Apache-2.0
#include "http/listen_socket.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/log.hpp"

namespace imago::http {
namespace {

// For what is not a connection: libraries, model files, the database.
constexpr rlim_t kOtherFiles = 256;

struct AddressesFree {
  void operator()(addrinfo* list) const noexcept { freeaddrinfo(list); }
};

Error listen_error(int code, const std::string& address, int port) {
  if (code == EADDRINUSE) {
    return {ErrorCode::Unavailable, fmt::format("port {} is in use: choose another with --port", port)};
  }
  if (code == EACCES) {
    return {ErrorCode::InvalidArgument,
            fmt::format("port {} needs rights this user has not: choose one above 1023", port)};
  }
  return {ErrorCode::InvalidArgument, fmt::format("cannot listen on {}:{}: {}", address, port, std::strerror(code))};
}

}  // namespace

Result<int> open_listen_socket(const std::string& address, int port) {
  if (port < 0 || port > 65535) return fail(ErrorCode::InvalidArgument, "port {} is not in 0 to 65535", port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  if (const int code = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &list); code != 0) {
    return fail(ErrorCode::InvalidArgument, "cannot listen on '{}': {}", address, gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, AddressesFree> addresses(list);

  const int fd = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return tl::unexpected(listen_error(errno, address, port));
  const int on = 1;
  const int off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (list->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);  // "::" is everywhere
  if (bind(fd, list->ai_addr, list->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
    const int code = errno;
    close(fd);
    return tl::unexpected(listen_error(code, address, port));
  }
  return fd;
}

int bound_port(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(address).sin_port);
}

unsigned allowed_connections(unsigned wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  const rlim_t needed = wanted + kOtherFiles;
  if (limit.rlim_cur < needed) {
    limit.rlim_cur = std::min(needed, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= needed) return wanted;
  const auto allowed = static_cast<unsigned>(std::max(limit.rlim_cur, kOtherFiles + 16) - kOtherFiles);
  log::warning("only {} of {} connections: this process may open {} files (ulimit -n)", allowed, wanted,
               limit.rlim_cur);
  return allowed;
}

}  // namespace imago::http
