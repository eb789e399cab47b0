// SPDX-License-Identifier: Apache-2.0
#include "app/command.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "base/files.hpp"
#include "pipeline/mlflow_observer.hpp"

namespace imago::app {
namespace {

std::atomic<bool> stop{false};
std::atomic<bool> reload{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

extern "C" void on_stop_signal(int) { stop = true; }
extern "C" void on_reload_signal(int) { reload = true; }

}  // namespace

Result<pipeline::Workspace*> Context::workspace() {
  if (!opened_) {
    TRY(opened_, pipeline::Workspace::open(workspace_folder, database_url));
    opened_->observers().add(std::make_unique<pipeline::MlflowObserver>(*opened_, [](const std::string& line) {
      fmt::print(stderr, "{}{}\n", isatty(STDERR_FILENO) != 0 ? "\r\033[K" : "", line);  // over the live line
    }));
  }
  return opened_.get();
}

void Context::answer(const json::Value& value, const std::string& text) const {
  fmt::print("{}", json ? json::dump_pretty(value) + "\n" : text);
  std::fflush(stdout);
}

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void catch_reload_signal() {
  struct sigaction action {};
  action.sa_handler = on_reload_signal;
  sigaction(SIGHUP, &action, nullptr);
}

bool reload_requested() { return reload.exchange(false); }

bool has_terminal() { return static_cast<bool>(UniqueFd(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC))); }

const std::atomic<bool>& stop_flag() { return stop; }

bool stop_requested() { return stop; }

void wait_politely() { ::setenv("GOMP_SPINCOUNT", "10000", 0); }

std::filesystem::path program_folder() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path(".") : self.parent_path();
}

Result<std::filesystem::path> trainer_program() {
  auto trainer = program_folder() / "imago-trainer";
  if (std::filesystem::exists(trainer)) return trainer;
  return fail(ErrorCode::Unavailable,
              "{} is missing: training needs it beside this program; build it with ./run --build-only",
              trainer.string());
}

}  // namespace imago::app
