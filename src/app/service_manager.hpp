// SPDX-License-Identifier: Apache-2.0
// What systemd is told of a service of Type=notify: ready, alive, stopping. Its protocol (sd_notify(3)) is one datagram
// a message; libsystemd would bring six libraries more into the server for it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace imago::app {

/// Does nothing where NOTIFY_SOCKET is not set. From one thread.
class ServiceManager {
 public:
  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment: they are not for
  /// child processes.
  static ServiceManager from_environment();

  void ready(std::string_view status) const;
  void stopping() const;
  /// What is read again, on SIGHUP; to be followed by ready().
  void reloading() const;

  /// Whether a sign of life is due: three in the time that the watchdog gives. Never without a watchdog.
  [[nodiscard]] bool beat_is_due() const;
  void beat();

 private:
  void tell(std::string_view message) const;

  std::string socket_;
  std::chrono::microseconds interval_{0};  // 0: no watchdog
  std::chrono::steady_clock::time_point last_beat_{};
};

}  // namespace imago::app
