// SPDX-License-Identifier: Apache-2.0
#include "infer/waiting_line.hpp"

#include <algorithm>

namespace imago::infer {
namespace {

std::size_t index_of(Priority priority) { return static_cast<std::size_t>(priority); }

}  // namespace

std::size_t WaitingLine::size() const {
  std::size_t sum = 0;
  for (const auto& line : lines_) sum += line.size();
  return sum;
}

bool WaitingLine::admits(Priority priority) const {
  if (size() < capacity_) return true;
  const auto lower = lines_.begin() + static_cast<std::ptrdiff_t>(index_of(priority)) + 1;
  return std::any_of(lower, lines_.end(), [](const auto& line) { return !line.empty(); });
}

std::optional<Waiting> WaitingLine::push(Waiting item) {
  EXPECTS(admits(item.priority), "only what is admitted is pushed");
  std::optional<Waiting> displaced;
  if (size() >= capacity_) {
    const auto lowest = std::find_if(lines_.rbegin(), lines_.rend(), [](const auto& line) { return !line.empty(); });
    displaced = std::move(lowest->back());
    lowest->pop_back();
  }
  lines_[index_of(item.priority)].push_back(std::move(item));
  return displaced;
}

std::size_t WaitingLine::next() const {
  std::size_t best = kPriorities;
  SteadyTime best_time{};
  for (std::size_t i = 0; i < kPriorities; ++i) {
    if (lines_[i].empty()) continue;
    const auto time = lines_[i].front().queued + kHeadStart * static_cast<int>(i);
    if (best < kPriorities && time >= best_time) continue;
    best = i;
    best_time = time;
  }
  return best;
}

WaitingLine::Taken WaitingLine::take(std::size_t most, SteadyTime now) {
  Taken taken;
  while (taken.batch.size() < most) {
    const auto from = next();
    if (from == kPriorities) break;
    auto& line = lines_[from];
    auto& into = line.front().deadline < now ? taken.expired : taken.batch;
    into.push_back(std::move(line.front()));
    line.pop_front();
  }
  return taken;
}

SteadyTime WaitingLine::patience_ends(std::chrono::microseconds delay) const {
  SteadyTime end = SteadyTime::max();
  for (const auto& line : lines_) {
    for (const Waiting& item : line)
      end = std::min({end, item.queued + delay, item.queued + (item.deadline - item.queued) / 2});
  }
  return end;
}

}  // namespace imago::infer
