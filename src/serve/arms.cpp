// SPDX-License-Identifier: Apache-2.0
#include "serve/arms.hpp"

#include <cmath>
#include <utility>

#include "base/log.hpp"

namespace imago::serve {
namespace {

std::string name_of(const LiveModel& model) {
  const json::Value& status = model.face()->status;
  return fmt::format("{}:{}", status["name"].get<std::string>(), status["version"].get<int>());
}

}  // namespace

Arms::Model Arms::main() const {
  const std::scoped_lock lock(mutex_);
  return main_;
}

Arms::Both Arms::both() const {
  const std::scoped_lock lock(mutex_);
  return {main_, comparable_ ? challenger_ : nullptr};
}

Arms::Model Arms::choose(std::string_view key) {
  Both arms = both();
  return arms.challenger && split_.takes_challenger(key) ? std::move(arms.challenger) : std::move(arms.main);
}

// What was there before goes with the parameter, after the lock: its batcher first answers what it still holds.
void Arms::set_main(Model model) {
  const std::scoped_lock lock(mutex_);
  if (main_ == model) return;
  main_.swap(model);
  compare();
}

void Arms::set_challenger(Model model) {
  const std::scoped_lock lock(mutex_);
  challenger_.swap(model);
  compare();
}

void Arms::compare() {
  comparable_ = false;
  if (!main_ || !challenger_) return;
  if (main_->face()->status["name"] != challenger_->face()->status["name"]) return;  // it is the one before's
  if (main_->face()->spec.labels != challenger_->face()->spec.labels) {
    log::warning("{} has other labels than {}: it gets no requests", name_of(*challenger_), name_of(*main_));
    return;
  }
  comparable_ = true;
  log::info("{:g} % of predictions go to {}, the others to {}", split_.share() * 100.0, name_of(*challenger_),
            name_of(*main_));
}

std::size_t Arms::challenger_queued() const {
  const Both arms = both();
  return arms.challenger ? arms.challenger->publish_queue_depth() : 0;
}

json::Value Arms::describe() const {
  const Both arms = both();
  // 7 %, and not the 7.000000000000001 that 0.07 * 100 is.
  const double share = arms.challenger ? std::round(split_.share() * 1e8) / 1e6 : 0.0;
  json::Value described = json::Value::array();
  for (const auto& [model, percent] : {std::pair(arms.main, 100.0 - share), std::pair(arms.challenger, share)}) {
    if (!model) continue;
    const json::Value& status = model->face()->status;
    described.push_back({{"name", status["name"]}, {"version", status["version"]}, {"share", percent}});
  }
  return described;
}

}  // namespace imago::serve
