// SPDX-License-Identifier: Apache-2.0
// The trained models that come with the program: models/NAME.tar of the project, or where it was installed to.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace imago::app {

struct ShippedModel {
  std::string name;
  std::filesystem::path file;
  std::uintmax_t bytes = 0;
  double test_accuracy = -1.0;  ///< as NAME.json beside it says; -1: it does not
};

/// In order of their names. They are looked for in models/ one and two folders above the program's own (build/imago),
/// and in share/imago/models beside it (bin/imago).
std::vector<ShippedModel> shipped_models();

/// The one that a command names, if it names one and not a path.
std::optional<ShippedModel> find_shipped_model(const std::string& name);

/// "cats-dogs, cifar10", for messages; "none" when there is none.
std::string shipped_names();

}  // namespace imago::app
