// SPDX-License-Identifier: Apache-2.0
#include "app/shipped_models.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "app/command.hpp"
#include "json/json.hpp"

namespace imago::app {
namespace {

namespace fs = std::filesystem;

double accuracy_beside(const fs::path& tar) {
  const auto about = json::read(fs::path(tar).replace_extension(".json"));
  if (!about || !about->is_object()) return -1.0;
  return json::get_or<double>(*about, "test_accuracy", -1.0).value_or(-1.0);
}

std::vector<ShippedModel> models_in(const fs::path& folder) {
  std::vector<ShippedModel> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    if (path.extension() != ".tar") continue;
    const auto bytes = it->file_size(error);
    if (!error) found.push_back({path.stem().string(), path, bytes, accuracy_beside(path)});
  }
  std::ranges::sort(found, {}, &ShippedModel::name);
  return found;
}

}  // namespace

std::vector<ShippedModel> shipped_models() {
  const fs::path program = program_folder();
  for (const fs::path& folder : {program.parent_path() / "models", program.parent_path().parent_path() / "models",
                                 program.parent_path() / "share" / "imago" / "models"}) {
    if (auto found = models_in(folder); !found.empty()) return found;
  }
  return {};
}

std::optional<ShippedModel> find_shipped_model(const std::string& name) {
  auto all = shipped_models();
  const auto found = std::ranges::find(all, name, &ShippedModel::name);
  if (found == all.end()) return std::nullopt;
  return std::move(*found);
}

std::string shipped_names() {
  std::vector<std::string> names;
  for (const auto& model : shipped_models()) names.push_back(model.name);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace imago::app
