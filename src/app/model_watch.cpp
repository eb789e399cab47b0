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
  TRY_VOID(load(version));
  return version;
}

Result<void> ModelWatch::load(const registry::ModelVersion& version) {
  tried_ = identity(version);
  if (wanted_.empty()) wanted_ = version.model;
  TRY(const auto package, workspace_.models().open(version));
  return service_.load_model(package, version);
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
  const auto version = choose_model(workspace_, wanted_);
  if (!version) {
    if (version.error().code != ErrorCode::NotFound) log::warning("{}", version.error().message);
    return;
  }
  if (identity(*version) == tried_) return;
  if (const auto loaded = load(*version); !loaded)
    log::error("{}:{} is not served: {}", version->model, version->version, loaded.error().message);
}

}  // namespace imago::app
