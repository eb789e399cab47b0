// SPDX-License-Identifier: Apache-2.0
#include "base/line_writer.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <utility>

namespace imago {
namespace {

constexpr std::chrono::milliseconds kPause{100};
constexpr std::size_t kEnoughBytes = 64 * 1024;

}  // namespace

LineWriter::LineWriter(int fd, LossLine loss_line, std::size_t most_waiting_bytes)
    : fd_(fd), loss_line_(std::move(loss_line)), most_waiting_bytes_(most_waiting_bytes) {}

LineWriter::~LineWriter() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool LineWriter::append(std::string_view line) {
  const std::scoped_lock lock(mutex_);
  if (waiting_.size() + line.size() + 1 > most_waiting_bytes_) {
    ++lost_;
    return false;
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  const std::size_t before = waiting_.size();
  waiting_.append(line).push_back('\n');
  if (before == 0 || (before < kEnoughBytes && waiting_.size() >= kEnoughBytes)) changed_.notify_all();
  return true;
}

void LineWriter::flush() {
  std::unique_lock lock(mutex_);
  ++in_a_hurry_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return waiting_.empty() && !writing_; });
  --in_a_hurry_;
}

void LineWriter::run() {
  std::string lines;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    changed_.wait_for(lock, kPause, [&] { return closing_ || in_a_hurry_ > 0 || waiting_.size() >= kEnoughBytes; });
    lines.clear();
    lines.swap(waiting_);
    const std::size_t lost = std::exchange(lost_, 0);
    writing_ = true;
    lock.unlock();
    if (lost > 0) lines.append(loss_line_(lost)).push_back('\n');
    write_lines(lines);
    lock.lock();
    writing_ = false;
    changed_.notify_all();
  }
}

// Whole lines of PIPE_BUF bytes at most in a call: others write to the same pipe, and only those stay in one piece.
void LineWriter::write_lines(std::string_view lines) const {
  while (!lines.empty()) {
    std::size_t count = std::min<std::size_t>(lines.size(), PIPE_BUF);
    if (count < lines.size()) {
      const auto end = lines.rfind('\n', count - 1);
      count = end == std::string_view::npos ? count : end + 1;
    }
    const ssize_t written = write(fd_, lines.data(), count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) {  // a terminal that another program made non-blocking
      pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
      poll(&ready, 1, -1);
      continue;
    }
    if (written <= 0) return;  // nobody reads any more: nobody to tell
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace imago
