// SPDX-License-Identifier: Apache-2.0
// The routes beyond prediction, by subject. docs/api/ describes each.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/repository.hpp"
#include "jobs/queue.hpp"
#include "registry/registry.hpp"
#include "serve/hosting.hpp"
#include "serve/live_model.hpp"
#include "serve/predictor.hpp"
#include "serve/route_list.hpp"
#include "store/database.hpp"
#include "tracking/run_store.hpp"

namespace imago::serve {

/// A recipe by name, with all it says (docs/api/recipes.md).
struct Recipe {
  std::string name;
  json::Value settings = json::Value::object();
};

/// The state behind the routes; everything outlives the service and is safe from any thread.
struct Backend {
  store::Database* database = nullptr;
  data::Repository* datasets = nullptr;
  registry::Registry* models = nullptr;
  tracking::RunStore* runs = nullptr;
  std::filesystem::path workspace;
  std::filesystem::path program;  ///< this program, for jobs
  std::filesystem::path trainer;  ///< imago-trainer, for explanations
  jobs::JobQueue* jobs = nullptr;
  std::function<void()> wake_worker;  ///< tells whoever does the jobs that there is a new one; may be empty
  std::vector<Recipe> recipes;        ///< that a training may ask for
  double retrain_margin = 0.0;        ///< what a retrained model may lose of accuracy and still become champion
};

/// NotFound, naming those there are. Valid as long as `backend`.
Result<const Recipe*> find_recipe(const Backend& backend, const std::string& name);

/// What a subject's routes are made from; copied into their handlers.
struct Api {
  Backend backend;
  std::function<std::shared_ptr<const LiveModel>()> current;  ///< the model being served, or null
  monitor::ServerMetrics* metrics = nullptr;
  std::string version;         ///< of the program
  Hosting* hosting = nullptr;  ///< null without a registry
  std::shared_ptr<const RecentAnswers> recent{};
};

void add_upload_routes(RouteList& routes, const Api& api);
void add_dataset_routes(RouteList& routes, const Api& api);
void add_job_routes(RouteList& routes, const Api& api);
void add_model_routes(RouteList& routes, const Api& api);
void add_alias_routes(RouteList& routes, const Api& api);
void add_abstention_routes(RouteList& routes, const Api& api);
void add_feedback_routes(RouteList& routes, const Api& api);
void add_run_routes(RouteList& routes, const Api& api);
void add_audit_routes(RouteList& routes, const Api& api);
void add_stats_routes(RouteList& routes, const Api& api);
void add_explain_routes(RouteList& routes, const Api& api);
void add_recipe_routes(RouteList& routes, const Api& api);
void add_documentation_routes(RouteList& routes, const Api& api);

/// What the routes of hosted models work on; all outlives the server.
struct Hosts {
  ModelPool& models;
  Hosting* hosting;  ///< null: no routes to load and unload
  Predictor& predictor;
};
void add_hosting_routes(RouteList& routes, const Hosts& hosts);

}  // namespace imago::serve
