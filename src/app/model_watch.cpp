// SPDX-License-Identifier: Apache-2.0
#include "app/model_watch.hpp"

#include "app/model_choice.hpp"
#include "base/log.hpp"

namespace imago::app {
namespace {

constexpr int kLooksASecond = 1, kStopChecksASecond = 20;

std::string identity(const registry::ModelVersion& version) {
  return fmt::format("{}:{} {}/{}", version.model, version.version, version.digest, version.abstention_change);
}

}  // namespace

ModelWatch::~ModelWatch() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

Result<std::vector<registry::ModelVersion>> ModelWatch::load() {
  std::vector<serve::VersionPolicy> policies;
  std::vector<registry::ModelVersion> versions;
  for (const auto& text : wanted_) {
    TRY(auto policy, serve::parse_version_policy(text));
    TRY(auto selected, serve::select_versions(policy, {}, workspace_.models()));
    policies.push_back(std::move(policy));
    versions.push_back(selected.chosen());
  }
  if (wanted_.empty()) {
    auto newest = choose_model(workspace_, "");
    if (!newest) {
      service_.set_not_ready(newest.error().message);
      return versions;
    }
    policies.push_back({.model = newest->model, .reference = newest->model});
    versions.push_back(std::move(*newest));
  }
  follow_challenger(versions.front());  // first: from the first request on each key has its own arm
  TRY_VOID(service_.hosting().host(policies));
  return versions;
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
  service_.hosting().follow();
  if (!service_.hosting().serving()) find_first();
  if (const auto serving = service_.hosting().serving()) follow_challenger(*serving);
}

/// Somebody's first training may have ended.
void ModelWatch::find_first() {
  const auto version = choose_model(workspace_, "");
  if (!version) {
    if (version.error().code != ErrorCode::NotFound) log::warning("{}", version.error().message);
    return;
  }
  if (identity(*version) == first_tried_) return;
  first_tried_ = identity(*version);
  const auto hosted =
      service_.hosting().host({serve::VersionPolicy{.model = version->model, .reference = version->model}});
  if (!hosted) log::error("{}:{} is not served: {}", version->model, version->version, hosted.error().message);
}

void ModelWatch::follow_challenger(const registry::ModelVersion& serving) {
  if (challenger_.empty()) return;
  const auto found = workspace_.models().resolve(fmt::format("{}:{}", serving.model, challenger_));
  if (!found && found.error().code != ErrorCode::NotFound) return log::warning("{}", found.error().message);
  const std::string seen = fmt::format("{} beside {}", found ? identity(*found) : "nothing", identity(serving));
  if (seen == challenger_seen_) return;
  challenger_seen_ = seen;
  change_challenger(found, serving);
}

void ModelWatch::change_challenger(const Result<registry::ModelVersion>& found, const registry::ModelVersion& serving) {
  if (!found || identity(*found) == identity(serving)) {
    service_.drop_challenger();
    log::warning("--ab {}: {}; {}:{} answers all", challenger_,
                 found ? "that is the version served anyway" : found.error().message, serving.model, serving.version);
    return;
  }
  auto package = workspace_.models().open(*found);
  const auto loaded = package ? service_.load_challenger(*package, *found) : Result<void>(pass(package));
  if (loaded) return;
  service_.drop_challenger();
  log::error("{}:{} gets no requests: {}", found->model, found->version, loaded.error().message);
}

}  // namespace imago::app
