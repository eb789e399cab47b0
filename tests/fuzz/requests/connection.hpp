// SPDX-License-Identifier: Apache-2.0
// One socket without waiting, to a port of loopback.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace imago::fuzz {

class Connection {
 public:
  Connection() = default;
  ~Connection() { close(false); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// From one of the addresses 127.0.0.1 to 127.0.0.250, so that ports do not run out. False when nobody listens.
  [[nodiscard]] bool open(int port, unsigned source);
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] int fd() const { return fd_; }

  void queue(std::string_view bytes) { out_ += bytes; }
  /// As many queued bytes as go, at most `most` at once. False when the other side has gone.
  [[nodiscard]] bool write(std::size_t most);
  [[nodiscard]] bool has_more_to_write() const { return sent_ < out_.size(); }
  /// What has come; empty when nothing has; none when the other side has closed.
  std::optional<std::string> read();
  /// @param abruptly  a reset in place of an orderly end
  void close(bool abruptly);

 private:
  int fd_ = -1;
  std::string out_;
  std::size_t sent_ = 0;
};

}  // namespace imago::fuzz
