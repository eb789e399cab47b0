// SPDX-License-Identifier: Apache-2.0
#include "pipeline/lineage_data.hpp"

#include <algorithm>

#include "data/fetch.hpp"

namespace imago::pipeline {
namespace {

std::string import_command(const std::string& name) {
  if (std::ranges::find(data::kNamed, name) != data::kNamed.end()) return "imago data import " + name;
  return "imago data import FOLDER --name " + name;
}

}  // namespace

Result<data::Manifest> load_or_newest(const data::Repository& repository, const std::string& reference) {
  auto manifest = repository.load(reference);
  if (manifest || manifest.error().code != ErrorCode::NotFound) return manifest;
  const std::string name = reference.substr(0, reference.find('@'));
  auto newest = repository.load(name);
  if (newest || newest.error().code != ErrorCode::NotFound) return newest;
  return fail(ErrorCode::NotFound, "no data set '{}' is here: bring it in with `{}`", name, import_command(name));
}

}  // namespace imago::pipeline
