// SPDX-License-Identifier: Apache-2.0
// What a person sees while work goes on: one live line on a terminal, now and then a line elsewhere, nothing with
// --json.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace imago::app {

enum class ProgressStyle { Live, Lines, Silent };

/// Live when standard error is a terminal, else Lines; Silent with `quiet`.
ProgressStyle progress_style(bool quiet);

/// One task's progress on standard error. Not safe from several threads.
class Progress {
 public:
  explicit Progress(ProgressStyle style) : style_(style) {}
  ~Progress() { end(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// "decode  12345/60000  20%  5120/s  ETA 9 s". Draws at most ten times a second (Lines: every ten seconds).
  void update(std::string_view task, std::size_t done, std::size_t total);
  /// The same where the total is unknown, but not how far the work is, from 0 to 1: "12345  20%  5120/s  ETA 9 s".
  void update_share(std::string_view task, std::size_t done, double share);
  /// As update, with a text of the caller's.
  void show(const std::string& text);
  /// Ends the live line and prints `text` as a line that stays.
  void print(const std::string& text);
  /// Ends the live line.
  void end();

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] bool due();
  void draw(std::string_view task, const std::string& amount, std::size_t done, double share);

  ProgressStyle style_;
  std::string task_;
  Clock::time_point started_{};
  Clock::time_point drawn_{};
  bool line_open_ = false;
};

/// "9 s", "2 min 05 s", "1 h 20 min".
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace imago::app
