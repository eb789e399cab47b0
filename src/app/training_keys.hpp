// SPDX-License-Identifier: Apache-2.0
// Single keys from the terminal while a command works.
#pragma once

#include <termios.h>

#include <optional>

namespace imago::app {

/// Takes keys as they are pressed, without showing them, while it lives: when standard input and standard error are
/// this process's terminal and it is in the foreground, else there are none. Ctrl-C stays a signal. The terminal is as
/// it was afterwards.
class TrainingKeys {
 public:
  explicit TrainingKeys(bool wanted);
  ~TrainingKeys();
  TrainingKeys(const TrainingKeys&) = delete;
  TrainingKeys& operator=(const TrainingKeys&) = delete;

  /// The next key that waits, if one does. Returns at once.
  std::optional<char> poll();

 private:
  std::optional<termios> before_;
};

}  // namespace imago::app
