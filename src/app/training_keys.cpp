// SPDX-License-Identifier: Apache-2.0
#include "app/training_keys.hpp"

#include <poll.h>
#include <unistd.h>

namespace imago::app {

TrainingKeys::TrainingKeys(bool wanted) {
  termios now{};
  const bool ours = wanted && ::isatty(STDERR_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
  if (!ours || ::tcgetattr(STDIN_FILENO, &now) != 0) return;
  before_ = now;
  now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  now.c_cc[VMIN] = 0;
  now.c_cc[VTIME] = 0;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &now);
}

TrainingKeys::~TrainingKeys() {
  // A process that was put into the background meanwhile would be stopped for touching the terminal.
  if (before_ && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp()) ::tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
}

std::optional<char> TrainingKeys::poll() {
  pollfd waiting{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  char key = 0;
  if (!before_ || ::poll(&waiting, 1, 0) != 1 || ::tcgetpgrp(STDIN_FILENO) != ::getpgrp()) return std::nullopt;
  return ::read(STDIN_FILENO, &key, 1) == 1 ? std::optional(key) : std::nullopt;
}

}  // namespace imago::app
