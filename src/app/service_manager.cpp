// SPDX-License-Identifier: Apache-2.0
#include "app/service_manager.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/log.hpp"

namespace imago::app {
namespace {

using std::chrono::steady_clock;

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string taken = value == nullptr ? "" : value;
  ::unsetenv(name);
  return taken;
}

long number(const std::string& text) {
  long value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

ServiceManager ServiceManager::from_environment() {
  ServiceManager manager;
  manager.socket_ = take_variable("NOTIFY_SOCKET");
  const long microseconds = number(take_variable("WATCHDOG_USEC"));
  const long process = number(take_variable("WATCHDOG_PID"));
  if (process == 0 || process == ::getpid()) manager.interval_ = std::chrono::microseconds(microseconds / 3);
  return manager;
}

void ServiceManager::ready(std::string_view status) const { tell(fmt::format("READY=1\nSTATUS={}", status)); }
void ServiceManager::stopping() const { tell("STOPPING=1\nSTATUS=answering the last requests"); }

void ServiceManager::reloading() const {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now().time_since_epoch());
  tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.count()));  // the steady clock is CLOCK_MONOTONIC
}

bool ServiceManager::beat_is_due() const {
  return interval_.count() > 0 && steady_clock::now() >= last_beat_ + interval_;
}

void ServiceManager::beat() {
  last_beat_ = steady_clock::now();
  tell("WATCHDOG=1");
}

void ServiceManager::tell(std::string_view message) const {
  if (socket_.empty()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.size() >= sizeof address.sun_path) return log::warning("NOTIFY_SOCKET is too long: {}", socket_);
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_.front() == '@') address.sun_path[0] = '\0';  // an abstract name
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool sent = descriptor >= 0 && ::sendto(descriptor, message.data(), message.size(), MSG_NOSIGNAL,
                                                reinterpret_cast<const sockaddr*>(&address), size) >= 0;
  if (!sent) log::warning("the service manager at {} was not told: {}", socket_, std::strerror(errno));
  if (descriptor >= 0) ::close(descriptor);
}

}  // namespace imago::app
