// SPDX-License-Identifier: Apache-2.0
#include "fuzz/requests/campaign.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>

#include "base/clock.hpp"
#include "fuzz/requests/connection.hpp"

namespace imago::fuzz {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

// Of the requests; the first must come to 1 with the others.
constexpr std::array<double, kKinds> kShares{0.02, 0.25, 0.50, 0.18, 0.05};
constexpr seconds kPatience{60};
constexpr std::chrono::milliseconds kPatienceWithBroken{50};  // the server may rightly wait for the rest of them
constexpr std::size_t kMostOnTheWay = 4;
constexpr std::size_t kMostRemembered = 200;  // of what was sent last

/// One place for a connection after another.
struct Slot {
  Connection connection;
  AnswerReader reader;
  std::deque<Attempt> on_the_way;
  std::uint64_t left = 0;      ///< requests that this connection will still send
  std::size_t most_bytes = 0;  ///< at once
  SteadyTime deadline{};
};

class Campaign {
 public:
  Campaign(const CampaignOptions& options, const Maker& maker, Judge& judge)
      : options_(options), maker_(maker), judge_(judge), slots_(static_cast<std::size_t>(options.connections)) {}
  ~Campaign() { ::close(epoll_); }
  Campaign(const Campaign&) = delete;
  Campaign& operator=(const Campaign&) = delete;

  CampaignReport run();

 private:
  [[nodiscard]] bool is_over() const { return report_.server_gone || report_.faults.size() >= options_.most_faults; }
  [[nodiscard]] bool may_send() const { return report_.requests < options_.count && !is_over(); }
  [[nodiscard]] Kind next_kind() const;
  Attempt make(Kind kind);
  void open(Slot& slot);
  void fill(Slot& slot);
  void push(Slot& slot);
  void watch(const Slot& slot, int operation) const;
  void receive(Slot& slot);
  void take_answers(Slot& slot);
  void take_answer_to_broken(Slot& slot);
  void closed_by_server(Slot& slot);
  void close(Slot& slot, bool abruptly);
  void blame(std::string what, const Slot& slot);
  void hurry_up();

  const CampaignOptions options_;
  const Maker& maker_;
  Judge& judge_;
  Memory memory_;
  CampaignReport report_;
  std::deque<std::string> latest_;
  Rng rng_{1};
  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Slot> slots_;
};

/// The kind that is furthest behind its share.
Kind Campaign::next_kind() const {
  int behind = 0;
  double most = -1e300;
  for (int kind = 0; kind < kKinds; ++kind) {
    const auto i = static_cast<std::size_t>(kind);
    const double missing =
        kShares[i] * static_cast<double>(report_.requests + 1) - static_cast<double>(report_.kinds[i]);
    if (missing > most) {
      most = missing;
      behind = kind;
    }
  }
  return static_cast<Kind>(behind);
}

Attempt Campaign::make(Kind kind) {
  ++report_.kinds[static_cast<std::size_t>(kind)];
  auto attempt = maker_.make(kind, report_.requests++, memory_);
  latest_.push_back(attempt.wire);
  if (latest_.size() > kMostRemembered) latest_.pop_front();
  return attempt;
}

void Campaign::open(Slot& slot) {
  const bool opened = slot.connection.open(options_.port, static_cast<unsigned>(rng_.next()));
  if (!opened) {
    report_.server_gone = true;
    return;
  }
  slot.reader = {};
  slot.most_bytes = rng_.chance(0.02) ? 1 + rng_.below(16) : std::size_t{1} << 20;
  slot.left = 1 + rng_.below(100);
  slot.deadline = steady_clock::now() + kPatience;
  watch(slot, EPOLL_CTL_ADD);
  fill(slot);
}

/// What is no HTTP has a connection of its own; other requests follow one another on theirs, some before the answers to
/// those before them.
void Campaign::fill(Slot& slot) {
  while (may_send() && slot.left > 0 && slot.on_the_way.size() < kMostOnTheWay) {
    const Kind kind = next_kind();
    if (!is_http(kind) && !slot.on_the_way.empty()) {
      slot.left = 0;  // the next connection's
      break;
    }
    --slot.left;
    Attempt attempt = make(kind);
    if (!is_http(kind) || attempt.is_last) slot.left = 0;
    slot.connection.queue(attempt.wire);
    slot.on_the_way.push_back(std::move(attempt));
  }
  push(slot);
}

void Campaign::push(Slot& slot) {
  if (!slot.connection.write(slot.most_bytes)) return closed_by_server(slot);
  if (slot.connection.has_more_to_write() || slot.on_the_way.empty()) return watch(slot, EPOLL_CTL_MOD);
  const Kind kind = slot.on_the_way.front().kind;
  if (kind == Kind::Aborted) return close(slot, rng_.chance(0.5));
  if (kind == Kind::Broken) slot.deadline = steady_clock::now() + kPatienceWithBroken;
  watch(slot, EPOLL_CTL_MOD);
}

void Campaign::watch(const Slot& slot, int operation) const {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = static_cast<std::uint64_t>(&slot - slots_.data())}};
  if (slot.connection.has_more_to_write()) event.events |= EPOLLOUT;
  epoll_ctl(epoll_, operation, slot.connection.fd(), &event);
}

void Campaign::receive(Slot& slot) {
  const auto received = slot.connection.read();
  if (!received) return closed_by_server(slot);
  slot.reader.add(*received);
  if (!slot.on_the_way.empty() && slot.on_the_way.front().kind == Kind::Broken) return take_answer_to_broken(slot);
  take_answers(slot);
}

void Campaign::take_answers(Slot& slot) {
  while (!slot.on_the_way.empty()) {
    auto answer = slot.reader.next(slot.on_the_way.front().method);
    if (!answer) {
      blame(answer.error().message, slot);
      return close(slot, true);
    }
    if (!*answer) break;
    ++report_.answers[(*answer)->status];
    if (auto fault = judge_.fault_of(slot.on_the_way.front(), **answer); !fault.empty()) blame(std::move(fault), slot);
    if ((*answer)->status < 300) memory_.learn((*answer)->body);
    slot.on_the_way.pop_front();
    slot.deadline = steady_clock::now() + kPatience;
    if ((*answer)->closes() || (*answer)->is_stream) return close(slot, (*answer)->is_stream);
  }
  fill(slot);
  if (slot.connection.is_open() && slot.on_the_way.empty()) close(slot, false);
}

/// Its head tells enough: how many requests the server took those bytes for, nobody knows.
void Campaign::take_answer_to_broken(Slot& slot) {
  if (slot.reader.pending().find("\r\n\r\n") == std::string_view::npos) return;
  if (auto fault = judge_.fault_of_broken(slot.reader.pending()); !fault.empty()) blame(std::move(fault), slot);
  close(slot, true);
}

/// Whoever closes with bytes unread resets the connection, and the answers that the client has not read yet are lost
/// with it: after what is odd that is nobody's fault.
void Campaign::closed_by_server(Slot& slot) {
  const auto is_odd = [](const Attempt& attempt) { return attempt.kind == Kind::Odd; };
  const bool owed = !slot.on_the_way.empty() && is_http(slot.on_the_way.front().kind);
  const bool excused = std::ranges::any_of(slot.on_the_way, is_odd);
  if (owed && excused) ++report_.cut;
  if (owed && !excused) blame("the connection was closed without an answer", slot);
  close(slot, false);
}

void Campaign::close(Slot& slot, bool abruptly) {
  slot.connection.close(abruptly);
  slot.on_the_way.clear();
}

void Campaign::blame(std::string what, const Slot& slot) {
  const Attempt& attempt = slot.on_the_way.front();
  const auto text = fmt::format("{}: {} {} ({})", what, attempt.method,
                                attempt.path.empty() ? "elsewhere" : attempt.path, to_string(attempt.kind));
  report_.faults.push_back({text, attempt.wire});
}

/// Nobody may be kept waiting.
void Campaign::hurry_up() {
  const auto now = steady_clock::now();
  for (Slot& slot : slots_) {
    if (!slot.connection.is_open() || now < slot.deadline) continue;
    const bool was_owed = !slot.on_the_way.empty() && is_http(slot.on_the_way.front().kind);
    if (was_owed) blame(fmt::format("no answer within {} s", kPatience.count()), slot);
    close(slot, true);
  }
}

CampaignReport Campaign::run() {
  std::array<epoll_event, 256> events;
  for (;;) {
    bool open_ones = false;
    for (Slot& slot : slots_) {
      if (!slot.connection.is_open() && may_send()) open(slot);
      open_ones |= slot.connection.is_open();
    }
    if (is_over() || (!open_ones && !may_send())) break;
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 10);
    for (int i = 0; i < count; ++i) {
      Slot& slot = slots_[events[static_cast<std::size_t>(i)].data.u64];
      if (slot.connection.is_open() && (events[static_cast<std::size_t>(i)].events & ~EPOLLOUT) != 0) receive(slot);
      if (slot.connection.is_open() && slot.connection.has_more_to_write()) push(slot);
    }
    hurry_up();
  }
  if (report_.server_gone) report_.latest.assign(latest_.begin(), latest_.end());
  return std::move(report_);
}

}  // namespace

CampaignReport run_campaign(const CampaignOptions& options, const Maker& maker, Judge& judge) {
  return Campaign(options, maker, judge).run();
}

}  // namespace imago::fuzz
