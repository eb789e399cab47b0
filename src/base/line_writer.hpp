// SPDX-License-Identifier: Apache-2.0
// Lines to a file descriptor from a thread of its own, many in one system call.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace imago {

/// Safe from any thread.
class LineWriter {
 public:
  /// Writes to `fd`, which must stay open; starts its thread with the first line.
  explicit LineWriter(int fd, std::size_t most_waiting_bytes = 4u << 20);
  /// Writes what waits.
  ~LineWriter();

  /// Never waits for the file. False when too many bytes wait: then the line is lost.
  bool append(std::string_view line);
  /// Waits until all lines so far are written.
  void flush();
  /// Lines lost since the last call.
  std::size_t take_lost();

 private:
  void run();
  void write_lines(std::string_view lines) const;

  const int fd_;
  const std::size_t most_waiting_bytes_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::string waiting_;
  std::size_t lost_ = 0;
  bool writing_ = false;
  int in_a_hurry_ = 0;  // callers of flush
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace imago
