// SPDX-License-Identifier: Apache-2.0
#include "serve/model_pool.hpp"

#include <fmt/ranges.h>

namespace imago::serve {

// What was there before goes with `versions`, after the lock: batchers first answer what they still hold.
void ModelPool::set(const std::string& name, Versions versions, int default_version) {
  EXPECTS(versions.empty() || versions.contains(default_version), "the default is one of the versions");
  const std::scoped_lock change(changing_);
  {
    const std::scoped_lock lock(mutex_);
    if (versions.empty()) {
      if (const auto found = models_.find(name); found != models_.end()) {
        versions.swap(found->second.versions);
        models_.erase(found);
      }
      if (main_ == name) main_.clear();
    } else {
      Entry& entry = models_[name];
      entry.versions.swap(versions);
      entry.default_version = default_version;
      if (main_.empty()) main_ = name;
    }
  }
  main_changed_(main());
}

Result<void> ModelPool::set_main(const std::string& name) {
  const std::scoped_lock change(changing_);
  {
    const std::scoped_lock lock(mutex_);
    if (!models_.contains(name)) return fail(ErrorCode::NotFound, "{} is not loaded; loaded: {}", name, names());
    main_ = name;
  }
  main_changed_(main());
  return {};
}

ModelPool::Model ModelPool::main() const {
  const std::scoped_lock lock(mutex_);
  const auto found = models_.find(main_);
  return found == models_.end() ? nullptr : found->second.versions.at(found->second.default_version);
}

Result<ModelPool::Model> ModelPool::find(std::string_view name, std::optional<int> version) const {
  const std::scoped_lock lock(mutex_);
  const auto found = models_.find(name);
  if (found == models_.end())
    return fail(ErrorCode::NotFound, "model '{}' is not loaded; loaded: {}", name.substr(0, 64), names());
  const auto& [versions, default_version] = found->second;
  const auto chosen = versions.find(version.value_or(default_version));
  if (chosen != versions.end()) return chosen->second;
  std::vector<int> numbers;
  for (const auto& [number, model] : versions) numbers.push_back(number);
  return fail(ErrorCode::NotFound, "version {} of {} is not loaded; loaded: {}", *version, name,
              fmt::join(numbers, ", "));
}

ModelPool::Loaded ModelPool::describe(const std::string& name, const Entry& entry) const {
  return {.name = name, .versions = entry.versions, .default_version = entry.default_version, .is_main = name == main_};
}

std::vector<ModelPool::Loaded> ModelPool::list() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Loaded> all;
  for (const auto& [name, entry] : models_) all.push_back(describe(name, entry));
  return all;
}

ModelPool::Loaded ModelPool::loaded(std::string_view name) const {
  const std::scoped_lock lock(mutex_);
  const auto found = models_.find(name);
  return found == models_.end() ? Loaded{} : describe(found->first, found->second);
}

std::size_t ModelPool::queued() const {
  std::size_t waiting = 0;
  for (const auto& loaded : list())
    for (const auto& [number, model] : loaded.versions) waiting += model->publish_queue_depth();
  return waiting;
}

std::string ModelPool::names() const {
  std::vector<std::string_view> all;
  for (const auto& [name, entry] : models_) all.emplace_back(name);
  return all.empty() ? "none" : fmt::format("{}", fmt::join(all, ", "));
}

}  // namespace imago::serve
