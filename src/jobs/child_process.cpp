// SPDX-License-Identifier: Apache-2.0
#include "jobs/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "base/files.hpp"
#include "base/log.hpp"

namespace imago::jobs {
namespace {

using SteadyPoint = std::chrono::steady_clock::time_point;

constexpr std::size_t kStderrTail = 8192;
constexpr std::size_t kMaxLine = std::size_t{1} << 20;
constexpr int kTickMs = 100;

tl::unexpected<Error> fail_call(std::string_view call, int number) {
  return fail(ErrorCode::Internal, "starting a process: {}: {}", call, std::strerror(number));
}

struct Pipe {
  UniqueFd read, write;
  static Result<Pipe> create(int flags) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | flags) != 0) return fail_call("pipe2", errno);
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  }
};

/// The whole input in memory as a file: nobody has to write while the child reads, and no SIGPIPE when it does not.
Result<UniqueFd> input_file(const std::string& input) {
  UniqueFd fd(::memfd_create("stdin", MFD_CLOEXEC));
  if (!fd) return fail_call("memfd_create", errno);
  for (std::size_t done = 0; done < input.size();) {
    const ssize_t written = ::write(fd.get(), input.data() + done, input.size() - done);
    if (written < 0 && errno != EINTR) return fail_call("write", errno);
    if (written > 0) done += static_cast<std::size_t>(written);
  }
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

/// What the child does between fork and exec; only async-signal-safe calls, as other threads held locks at the fork.
[[noreturn]] void become(char* const* arguments, int niceness, pid_t parent, const std::array<int, 3>& standard,
                         int report) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);  // it died before the line above
  ::setpgid(0, 0);
  if (niceness != 0) ::setpriority(PRIO_PROCESS, 0, niceness);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int fd = 0; fd < 3; ++fd) ::dup2(standard[static_cast<std::size_t>(fd)], fd);
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);  // libraries open sockets that would stay open in the child
  ::execvp(arguments[0], arguments);
  const int number = errno;
  static_cast<void>(::write(report, &number, sizeof number) + 0);
  ::_exit(127);
}

/// A process that is reaped, killed first if need be, when this object goes.
class Child {
 public:
  static Result<Child> start(const ChildOptions& options);
  ~Child() {
    if (pid_ <= 0 || ended_) return;
    kill_group();
    ::waitpid(pid_, nullptr, 0);
  }
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)),
        ended_(other.ended_),
        out_(std::move(other.out_)),
        err_(std::move(other.err_)) {}
  Child& operator=(Child&&) = delete;

  void interrupt() const { ::kill(pid_, SIGINT); }
  void kill_group() const {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
  }
  /// How it ended, if it has.
  std::optional<ChildResult> try_wait() {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
    ended_ = true;
    if (WIFSIGNALED(status)) return ChildResult{ChildEnd::Signaled, WTERMSIG(status), {}};
    return ChildResult{ChildEnd::Exited, WEXITSTATUS(status), {}};
  }
  UniqueFd& out() { return out_; }
  UniqueFd& err() { return err_; }

 private:
  Child(pid_t pid, UniqueFd out, UniqueFd err) : pid_(pid), out_(std::move(out)), err_(std::move(err)) {}
  pid_t pid_;
  bool ended_ = false;
  UniqueFd out_, err_;
};

Result<Child> Child::start(const ChildOptions& options) {
  EXPECTS(!options.command.empty(), "a child needs a command");
  TRY(const auto input, input_file(options.input));
  TRY(auto out, Pipe::create(0));
  TRY(auto err, Pipe::create(0));
  TRY(auto report, Pipe::create(0));
  std::vector<char*> arguments;
  for (const auto& argument : options.command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);

  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_call("fork", errno);
  if (pid == 0)
    become(arguments.data(), options.niceness, parent, {input.get(), out.write.get(), err.write.get()},
           report.write.get());
  ::setpgid(pid, pid);  // here too: whoever comes first
  report.write.reset();
  int number = 0;
  ssize_t got = 0;
  while ((got = ::read(report.read.get(), &number, sizeof number)) < 0 && errno == EINTR) {
  }
  if (got == static_cast<ssize_t>(sizeof number)) {  // closed without a word when exec succeeds
    ::waitpid(pid, nullptr, 0);
    return fail(number == ENOENT ? ErrorCode::NotFound : ErrorCode::Internal, "cannot start {}: {}",
                options.command.front(), std::strerror(number));
  }
  for (const int fd : {out.read.get(), err.read.get()}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return Child(pid, std::move(out.read), std::move(err.read));
}

/// Reads what is there without waiting; closes `fd` at its end.
void drain(UniqueFd& fd, const std::function<void(std::string_view)>& take) {
  std::array<char, 65536> buffer;
  while (fd) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got > 0) {
      take({buffer.data(), static_cast<std::size_t>(got)});
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      fd.reset();
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

/// Bytes to lines to events.
class EventReader {
 public:
  explicit EventReader(const std::function<void(const json::Value&)>& on_event) : on_event_(on_event) {}

  void take(std::string_view bytes) {
    for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
      append(bytes.substr(0, end));
      bytes.remove_prefix(end + 1);
      finish_line();
    }
    append(bytes);
  }
  void finish_line() {
    if (too_long_) log::warning("a child wrote a line of more than {} bytes", kMaxLine);
    if (!too_long_ && !line_.empty()) emit();
    line_.clear();
    too_long_ = false;
  }

 private:
  void append(std::string_view bytes) {
    too_long_ = too_long_ || line_.size() + bytes.size() > kMaxLine;
    if (!too_long_) line_ += bytes;
  }
  void emit() {
    const auto event = json::parse(line_);
    if (event && event->is_object()) {
      on_event_(*event);
    } else {
      log::warning("a child wrote what is no event: {}", line_.substr(0, 200));
    }
  }

  const std::function<void(const json::Value&)>& on_event_;
  std::string line_;
  bool too_long_ = false;
};

/// The last bytes of standard error, and a copy to ours if wanted.
class StderrTail {
 public:
  explicit StderrTail(bool echo) : echo_(echo) {}
  void take(std::string_view bytes) {
    if (echo_) static_cast<void>(std::fwrite(bytes.data(), 1, bytes.size(), stderr));
    tail_ += bytes;
    if (tail_.size() > kStderrTail) tail_.erase(0, tail_.size() - kStderrTail);
  }
  std::string text() && { return std::move(tail_); }

 private:
  bool echo_;
  std::string tail_;
};

/// SIGINT once, SIGKILL when that did not help in time.
class Stopper {
 public:
  Stopper(const Child& child, std::chrono::milliseconds grace) : child_(child), grace_(grace) {}
  void check(const std::function<bool()>& should_stop) {
    const auto now = std::chrono::steady_clock::now();
    if (kill_at_ == SteadyPoint::max() && should_stop && should_stop()) {
      kill_at_ = now + grace_;
      child_.interrupt();
    }
    if (now >= kill_at_) child_.kill_group();
  }

 private:
  const Child& child_;
  const std::chrono::milliseconds grace_;
  SteadyPoint kill_at_ = SteadyPoint::max();
};

}  // namespace

Result<ChildResult> run_child(const ChildOptions& options, const std::function<void(const json::Value&)>& on_event,
                              const std::function<bool()>& should_stop, bool echo_stderr) {
  TRY(auto child, Child::start(options));
  EventReader events(on_event);
  StderrTail tail(echo_stderr);
  Stopper stopper(child, options.grace);
  const auto read_all = [&] {
    drain(child.out(), [&](std::string_view bytes) { events.take(bytes); });
    drain(child.err(), [&](std::string_view bytes) { tail.take(bytes); });
  };
  for (;;) {
    // A closed descriptor is -1, which poll passes over; when both are, only the exit is left to wait for.
    std::array<pollfd, 2> waiting{pollfd{child.out().get(), POLLIN, 0}, pollfd{child.err().get(), POLLIN, 0}};
    ::poll(waiting.data(), waiting.size(), child.out() || child.err() ? kTickMs : 1);
    read_all();
    stopper.check(should_stop);
    if (auto ended = child.try_wait()) {
      read_all();  // what it wrote between the two lines above
      events.finish_line();
      ended->last_stderr = std::move(tail).text();
      return *std::move(ended);
    }
  }
}

}  // namespace imago::jobs
