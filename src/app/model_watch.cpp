// SPDX-License-Identifier: Apache-2.0
#include "app/model_watch.hpp"

#include "app/model_choice.hpp"
#include "base/log.hpp"

namespace imago::app {
namespace {

constexpr int kLooksASecond = 1, kStopChecksASecond = 20;

std::string identity(const registry::ModelVersion& version) {
  return fmt::format("{}:{} {}", version.model, version.version, version.digest);
}

}  // namespace

ModelWatch::~ModelWatch() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

Result<registry::ModelVersion> ModelWatch::load() {
  TRY(auto version, choose_model(workspace_, wanted_));
  serving_ = version;  // the challenger first: from the first request on each key has its own arm
  follow_challenger();
  TRY_VOID(load(version));
  return version;
}

Result<void> ModelWatch::load(const registry::ModelVersion& version) {
  tried_ = identity(version);
  if (wanted_.empty()) wanted_ = version.model;
  TRY(const auto package, workspace_.models().open(version));
  TRY_VOID(service_.load_model(package, version));
  serving_ = version;
  return {};
}

void ModelWatch::start() {
  thread_ = std::thread([this] {
    for (int ticks = 1; !stopping_; ++ticks) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1000 / kStopChecksASecond));
      if (ticks % (kStopChecksASecond / kLooksASecond) == 0) look();
    }
  });
}

void ModelWatch::look() {
  follow_main();
  follow_challenger();
}

void ModelWatch::follow_main() {
  const auto version = choose_model(workspace_, wanted_);
  if (!version) {
    if (version.error().code != ErrorCode::NotFound) log::warning("{}", version.error().message);
    return;
  }
  if (identity(*version) == tried_) return;
  if (const auto loaded = load(*version); !loaded)
    log::error("{}:{} is not served: {}", version->model, version->version, loaded.error().message);
}

void ModelWatch::follow_challenger() {
  if (challenger_.empty() || !serving_) return;
  const auto found = workspace_.models().resolve(fmt::format("{}:{}", serving_->model, challenger_));
  if (!found && found.error().code != ErrorCode::NotFound) return log::warning("{}", found.error().message);
  const std::string seen = fmt::format("{} beside {}", found ? identity(*found) : "nothing", identity(*serving_));
  if (seen == challenger_seen_) return;
  challenger_seen_ = seen;
  change_challenger(found);
}

void ModelWatch::change_challenger(const Result<registry::ModelVersion>& found) {
  if (!found || identity(*found) == identity(*serving_)) {
    service_.drop_challenger();
    log::warning("--ab {}: {}; {}:{} answers all", challenger_,
                 found ? "that is the version served anyway" : found.error().message, serving_->model,
                 serving_->version);
    return;
  }
  auto package = workspace_.models().open(*found);
  const auto loaded = package ? service_.load_challenger(*package, *found) : Result<void>(pass(package));
  if (loaded) return;
  service_.drop_challenger();
  log::error("{}:{} gets no requests: {}", found->model, found->version, loaded.error().message);
}

}  // namespace imago::app
