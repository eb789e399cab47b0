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

/// What must load for the server to start, the one that answers /predict first; nothing when nothing is registered.
Result<std::vector<serve::HostedModel>> ModelWatch::first_models(const std::vector<serve::HostedModel>& remembered) {
  std::vector<serve::HostedModel> models;
  for (const auto& text : wanted_) {
    TRY(auto policy, serve::parse_version_policy(text));
    models.push_back({.policy = std::move(policy)});
  }
  if (!models.empty()) return models;
  if (!remembered.empty() && remembered.front().is_main) return std::vector{remembered.front()};
  const auto newest = choose_model(workspace_, "");
  if (newest) {
    models.push_back({.policy = {.model = newest->model, .reference = newest->model}});
  } else {
    service_.set_not_ready(newest.error().message);
  }
  return models;
}

Result<std::vector<registry::ModelVersion>> ModelWatch::load() {
  auto& hosting = service_.hosting();
  TRY(const auto remembered, hosting.remembered());
  TRY(const auto models, first_models(remembered));
  std::vector<registry::ModelVersion> versions;
  for (const auto& model : models) {
    TRY(const auto selected, serve::select_versions(model.policy, model.changes, workspace_.models()));
    versions.push_back(selected.chosen());
  }
  if (versions.empty()) return versions;
  follow_challenger(versions.front());  // first: from the first request on each key has its own arm
  using Origin = serve::Hosting::Origin;
  TRY_VOID(hosting.host(models, wanted_.empty() ? Origin::Found : Origin::Told, remembered));
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
  const auto hosted = service_.hosting().host({{.policy = {.model = version->model, .reference = version->model}}},
                                              serve::Hosting::Origin::Found);
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
