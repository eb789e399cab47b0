// SPDX-License-Identifier: Apache-2.0
// Lines to a file descriptor from a thread of its own, many in one system call.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace imago {

/// Safe from any thread.
class LineWriter {
 public:
  /// The line that stands for so many lost ones.
  using LossLine = std::function<std::string(std::size_t lost)>;

  /// Writes to `fd`, which must stay open; starts its thread with the first line.
  LineWriter(int fd, LossLine loss_line, std::size_t most_waiting_bytes = 4u << 20);
  /// Writes what waits.
  ~LineWriter();

  /// Never waits for the file. False when too many bytes wait: then the line is lost, and counted.
  bool append(std::string_view line);
  /// Waits until all lines so far are written.
  void flush();

 private:
  void run();
  void write_lines(std::string_view lines) const;

  const int fd_;
  const LossLine loss_line_;
  const std::size_t most_waiting_bytes_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::string waiting_;
  std::size_t lost_ = 0;  // since the last loss line
  bool writing_ = false;
  int in_a_hurry_ = 0;  // callers of flush
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace imago
