// SPDX-License-Identifier: Apache-2.0
#include "load/drive.hpp"

#include <algorithm>
#include <unordered_map>

#include "base/error.hpp"

namespace imago::load {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

constexpr std::chrono::milliseconds kTick{100};

SteadyTime after(SteadyTime from, std::chrono::duration<double> seconds) {
  return from + duration_cast<nanoseconds>(seconds);
}

/// One measurement while it goes on.
class Drive {
 public:
  Drive(Transport& transport, const Plan& plan, const Expected& expected, const Clock& clock)
      : transport_(transport),
        expected_(expected),
        clock_(clock),
        start_(clock.steady()),
        end_(after(start_, plan.seconds)),
        give_up_(after(end_, plan.patience)),
        arrivals_(plan.rate > 0.0 ? plan.rate : 1.0, plan.pace, plan.seed),
        is_open_(plan.rate > 0.0) {
    measured_.rate = plan.rate;
    if (is_open_) due_ = start_ + arrivals_.next();
  }

  Measured run(const std::atomic<bool>& stop, const std::function<void(const Measured&)>& on_tick) {
    auto tick = start_ + kTick;
    for (auto now = start_; now < give_up_ && !stop; now = clock_.steady()) {
      is_open_ ? send_due(now) : send_all(now);
      if (on_way_.empty() && !has_more(now)) break;
      transport_.wait(wake_time(tick), [this](const Answer& answer) { take(answer); });
      if (clock_.steady() < tick) continue;
      tick = clock_.steady() + kTick;
      measured_.seconds = seconds_so_far();
      on_tick(measured_);
    }
    finish();
    return std::move(measured_);
  }

 private:
  struct OnWay {
    std::size_t image;
    SteadyTime due;
    SteadyTime sent;
  };

  [[nodiscard]] bool has_more(SteadyTime now) const { return is_open_ ? due_ < end_ : now < end_; }

  /// Nothing to send while all connections are busy: an answer wakes us.
  [[nodiscard]] SteadyTime wake_time(SteadyTime tick) const {
    return is_open_ && due_ < end_ && transport_.idle() > 0 ? std::min(tick, due_) : tick;
  }

  void send_all(SteadyTime now) {
    while (now < end_ && transport_.idle() > 0) send(now, now);
  }

  void send_due(SteadyTime now) {
    while (due_ <= now && due_ < end_ && transport_.idle() > 0) {
      measured_.lateness.add(duration_cast<microseconds>(now - due_));
      send(due_, now);
      due_ = start_ + arrivals_.next();
    }
  }

  void send(SteadyTime due, SteadyTime now) {
    const std::size_t image = ticket_ % expected_.images();
    on_way_.emplace(ticket_, OnWay{image, due, now});
    transport_.send(ticket_++, image);
  }

  void take(const Answer& answer) {
    const auto found = on_way_.find(answer.ticket);
    EXPECTS(found != on_way_.end(), "each request is answered once");
    const OnWay sent = found->second;
    on_way_.erase(found);
    last_answer_ = clock_.steady();
    ++measured_.by_status[answer.status];
    if (answer.status != 200) {
      ++measured_.failed;
      note_problem(answer.status == 0 ? std::string(answer.problem)
                                      : fmt::format("{}: {}", answer.status, answer.body.substr(0, 200)));
      return;
    }
    auto problem = expected_.problem_with(answer.body, sent.image);
    ++(problem.empty() ? measured_.right : measured_.wrong);
    if (!problem.empty()) note_problem(std::move(problem));
    add_latency(last_answer_ - sent.due);
    if (is_open_) measured_.since_sent.add(duration_cast<microseconds>(last_answer_ - sent.sent));
  }

  void add_latency(nanoseconds latency) {
    const auto rounded = duration_cast<microseconds>(latency);
    measured_.latencies.add(rounded);
    measured_.slowest = std::max(measured_.slowest, rounded);
    measured_.microseconds += static_cast<double>(latency.count()) / 1000.0;
  }

  void note_problem(std::string text) {
    if (measured_.first_problem.empty()) measured_.first_problem = std::move(text);
  }

  [[nodiscard]] double seconds_so_far() const {
    return std::chrono::duration<double>(clock_.steady() - start_).count();
  }

  /// What was due and never sent, or sent and never answered, is at least as late as it is now.
  void finish() {
    const auto now = clock_.steady();
    for (; is_open_ && due_ < std::min(end_, now); due_ = start_ + arrivals_.next()) {
      ++measured_.unsent;
      add_latency(now - due_);
    }
    if (now >= give_up_) {
      for (const auto& [ticket, sent] : on_way_) {
        ++measured_.failed;
        ++measured_.by_status[0];
        note_problem("no answer in time");
        add_latency(now - sent.due);
      }
    }
    measured_.seconds = std::chrono::duration<double>(std::max(last_answer_, std::min(now, end_)) - start_).count();
  }

  Transport& transport_;
  const Expected& expected_;
  const Clock& clock_;
  const SteadyTime start_, end_, give_up_;
  Arrivals arrivals_;
  const bool is_open_;
  SteadyTime due_{};  // of the next request of an open loop
  SteadyTime last_answer_{};
  std::uint64_t ticket_ = 0;
  std::unordered_map<std::uint64_t, OnWay> on_way_;
  Measured measured_;
};

}  // namespace

Measured drive(Transport& transport, const Plan& plan, const Expected& expected, const Clock& clock,
               const std::atomic<bool>& stop, const std::function<void(const Measured&)>& on_tick) {
  EXPECTS(expected.images() > 0, "there are images to send");
  return Drive(transport, plan, expected, clock).run(stop, on_tick);
}

}  // namespace imago::load
