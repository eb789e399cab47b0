// SPDX-License-Identifier: Apache-2.0
// The models that are loaded: by name, each in one or more versions of which one is its default; and one model that
// answers who names none.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/live_model.hpp"

namespace imago::serve {

/// Safe from any thread. A change is seen whole or not at all; requests that have their model end on it, and it goes
/// once nobody holds it.
class ModelPool {
 public:
  using Model = std::shared_ptr<const LiveModel>;
  using Versions = std::map<int, Model>;

  /// @param main_changed  is told the main model, or null, after each change; one call at a time.
  explicit ModelPool(std::function<void(const Model&)> main_changed) : main_changed_(std::move(main_changed)) {}

  /// The versions of a model are these from now on; the first model ever set becomes the main one. No versions: the
  /// model is gone. `default_version` is one of them.
  void set(const std::string& name, Versions versions, int default_version);
  /// NotFound when it is not loaded.
  Result<void> set_main(const std::string& name);

  /// The default version of the main model; null while there is none.
  [[nodiscard]] Model main() const;
  /// NotFound naming what is loaded. Without a version, the model's default.
  [[nodiscard]] Result<Model> find(std::string_view name, std::optional<int> version = std::nullopt) const;

  struct Loaded {
    std::string name;
    Versions versions;
    int default_version = 0;
    bool is_main = false;
  };
  /// By name.
  [[nodiscard]] std::vector<Loaded> list() const;
  /// Of one model; no versions when it is not loaded.
  [[nodiscard]] Loaded loaded(std::string_view name) const;
  /// Images that wait, of all models.
  [[nodiscard]] std::size_t queued() const;

 private:
  struct Entry {
    Versions versions;
    int default_version = 0;
  };
  [[nodiscard]] Loaded describe(const std::string& name, const Entry& entry) const;  // with the lock held
  [[nodiscard]] std::string names() const;                                           // with the lock held

  const std::function<void(const Model&)> main_changed_;
  std::mutex changing_;       // held for a whole change, main_changed_ included
  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, Entry, std::less<>> models_;
  std::string main_;
};

}  // namespace imago::serve
