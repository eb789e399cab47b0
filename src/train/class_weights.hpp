// SPDX-License-Identifier: Apache-2.0
// What an image of each class counts in the loss.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "json/json.hpp"

namespace imago::train {

struct ClassWeighting {
  enum class Kind {
    None,      ///< every image the same
    Balanced,  ///< every class the same in sum: images / (classes * images of the class), scikit-learn's "balanced"
    Explicit,  ///< by name; a class that is not named counts 1
  };
  Kind kind = Kind::None;
  std::map<std::string, double> weights{};  ///< Explicit
};

/// "none", "balanced", or {label: weight} with weights above 0 and up to a million.
Result<ClassWeighting> class_weighting_from_json(const json::Value& value);
json::Value to_json(const ClassWeighting& weighting);

/// For LossSettings: [names.size()], or empty for None. A class without an image has weight 0 when balanced.
/// InvalidArgument for the weight of a class that does not exist. @param labels of the training images.
Result<std::vector<double>> class_weights(const ClassWeighting& weighting, const std::vector<std::string>& names,
                                          std::span<const int> labels);

}  // namespace imago::train
