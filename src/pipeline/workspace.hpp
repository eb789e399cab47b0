// SPDX-License-Identifier: Apache-2.0
// A folder with all state: imago.db, datasets/, runs/, models/.
#pragma once

#include <filesystem>
#include <memory>

#include "base/error.hpp"
#include "data/repository.hpp"
#include "pipeline/run_observer.hpp"
#include "registry/registry.hpp"
#include "store/database.hpp"
#include "tracking/run_store.hpp"

namespace imago::pipeline {

/// Opened once a process; what it hands out lives as long as it does.
class Workspace {
 public:
  /// Opens `folder`, creating it and its database where they are missing. `database_url` empty: imago.db inside. Runs
  /// whose process has died are "interrupted" to whoever looks, now or later.
  static Result<std::unique_ptr<Workspace>> open(const std::filesystem::path& folder,
                                                 const std::string& database_url = "");

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path run_folder(const std::string& run) const { return folder_ / "runs" / run; }
  store::Database& database() { return *database_; }
  data::Repository& datasets() { return datasets_; }
  registry::Registry& models() { return models_; }
  tracking::RunStore& runs() { return runs_; }
  /// Who is told of the runs that this process carries out; add them before the first.
  RunObservers& observers() { return observers_; }

 private:
  Workspace(std::filesystem::path folder, std::unique_ptr<store::Database> database);

  std::filesystem::path folder_;
  std::unique_ptr<store::Database> database_;
  data::Repository datasets_;
  registry::Registry models_;
  tracking::RunStore runs_;
  RunObservers observers_;
};

}  // namespace imago::pipeline
