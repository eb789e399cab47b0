// SPDX-License-Identifier: Apache-2.0
#include "pipeline/mlflow_observer.hpp"

#include "base/log.hpp"
#include "pipeline/mlflow_outbox.hpp"
#include "pipeline/run_results.hpp"

namespace imago::pipeline {
namespace {

/// How long the end of a run may take for the sake of earlier ones.
constexpr std::chrono::seconds kForOthers{30};

}  // namespace

void MlflowObserver::on_start(const tracking::Run& run, bool /*resumed*/) {
  const auto server = tracking::mlflow_from_environment();
  live_.reset();
  results_ = {};
  lost_.reset();
  if (!server) {
    log::warning("MLflow: {}; this run is kept here only", server.error().message);
    return;
  }
  if (!*server) return;
  server_ = **server;
  if (const auto noted = note_unsent(workspace_, run.id, server_); !noted)
    log::warning("MLflow: {}; what does not get through now will not be sent later", noted.error().message);
  live_ = std::make_unique<tracking::LiveMlflow>(**server, workspace_.runs(), run.id);
}

void MlflowObserver::on_metrics(const tracking::Run& /*run*/, std::int64_t /*epoch*/,
                                const std::map<std::string, double>& /*values*/) {
  if (live_) live_->changed();
}

void MlflowObserver::on_registered(const tracking::Run& /*run*/, const registry::ModelVersion& version,
                                   const std::filesystem::path& package) {
  if (!live_) return;
  auto results = results_of(workspace_, version, package);
  if (results) {
    results_ = std::move(*results);
  } else {
    lost_ = results.error();
  }
}

void MlflowObserver::on_end(const tracking::Run& run) {
  if (!live_) return;
  if (run.summary.is_object() && run.summary.contains("verdict"))
    results_.tags["imago.verdict"] = run.summary.value("verdict", "");
  auto page = live_->finish(results_, patience_);
  live_.reset();
  if (page && lost_) page = tl::unexpected<Error>(*lost_);
  if (page) {
    forget_unsent(workspace_, run.id);
    on_sent_(fmt::format("MLflow: run {} is at {}", run.id, *page));
    if (const int more = send_unsent(workspace_, server_, kForOthers); more > 0)
      on_sent_(fmt::format("MLflow: earlier runs that it had missed and has now: {}", more));
  } else {
    log::warning("MLflow: {} does not have all of run {} ({}); send it later with `imago runs export {} --mlflow {}`",
                 server_.uri, run.id, page.error().message, run.id, server_.uri);
  }
}

}  // namespace imago::pipeline
