// SPDX-License-Identifier: Apache-2.0
#include "app/terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace imago::app {
namespace {

std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

ProgressStyle progress_style(bool quiet) {
  if (quiet) return ProgressStyle::Silent;
  return ::isatty(STDERR_FILENO) == 1 ? ProgressStyle::Live : ProgressStyle::Lines;
}

bool Progress::due() {
  if (style_ == ProgressStyle::Silent) return false;
  const auto now = Clock::now();
  const auto pause = style_ == ProgressStyle::Live ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
  if (now - drawn_ < pause) return false;
  drawn_ = now;
  return true;
}

void Progress::update(std::string_view task, std::size_t done, std::size_t total) {
  if (total == 0) return draw(task, fmt::format("{}", done), done, 0.0);
  draw(task, fmt::format("{}/{}", done, total), done, static_cast<double>(done) / static_cast<double>(total));
}

void Progress::update_share(std::string_view task, std::size_t done, double share) {
  draw(task, fmt::format("{}", done), done, share);
}

void Progress::draw(std::string_view task, const std::string& amount, std::size_t done, double share) {
  if (task != task_) {
    end();
    task_ = task;
    started_ = Clock::now();
    drawn_ = style_ == ProgressStyle::Live ? Clock::time_point{} : started_;
  }
  if (!due()) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  std::string text = fmt::format("{}  {}", task, amount);
  if (share > 0) text += fmt::format("  {:.0f}%", std::floor(share * 100));
  if (seconds > 0 && done > 0) text += fmt::format("  {:.0f}/s", static_cast<double>(done) / seconds);
  if (share > 0 && share < 1)
    text += "  ETA " + format_duration(std::chrono::milliseconds(std::llround(seconds * (1 / share - 1) * 1000)));
  drawn_ = {};
  show(text);
}

void Progress::show(const std::string& text) {
  if (!due()) return;
  if (style_ == ProgressStyle::Lines) {
    fmt::print(stderr, "{}\n", text);
    return;
  }
  fmt::print(stderr, "\r\x1b[K{}", text.substr(0, terminal_columns() - 1));
  std::fflush(stderr);
  line_open_ = true;
}

void Progress::print(const std::string& text) {
  if (style_ == ProgressStyle::Silent) return;
  end();
  fmt::print(stderr, "{}\n", text);
}

void Progress::end() {
  if (line_open_) fmt::print(stderr, "\r\x1b[K");
  line_open_ = false;
}

std::string format_duration(std::chrono::milliseconds duration) {
  const auto seconds = std::chrono::round<std::chrono::seconds>(duration).count();
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {:02} min", seconds / 3600, seconds % 3600 / 60);
}

}  // namespace imago::app
