// SPDX-License-Identifier: Apache-2.0
// When a model had better say that it does not know: limits on how sure and how familiar an answer must be. They are
// kept beside a version and not in its package, so they can be set, and taken back, without making another.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "json/json.hpp"

namespace imago::model {

/// The energy of an image: -log(sum of exp(logit)), low for what looks like what was trained on, high for what does
/// not. The logits are taken as they are, without the calibration's temperature: the paper finds 1 to separate best.
///
/// Of a network with one output only the difference z of two logits is known; its row (0, z), the first exactly 0, is
/// taken as (-z/2, z/2), so that either class can be sure.
///
/// @param logits one or more. Source: W. Liu, X. Wang, J. D. Owens, Y. Li, "Energy-based Out-of-distribution
/// Detection", NeurIPS 2020, equation 4 with T = 1.
double energy(std::span<const float> logits);

/// Why an answer is none to rely on.
enum class Doubt { None, Confidence, Energy };
std::string_view to_string(Doubt doubt);  ///< "none", "confidence", "energy"
Result<Doubt> doubt_from(std::string_view name);

struct AbstentionPolicy {
  /// A confidence below it is abstained; by the class that is said, or one for all. Empty: none.
  std::vector<double> least_confidence;
  /// An energy above it is abstained.
  std::optional<double> most_energy;
  /// How the limits were found, for people: data, accuracy, certainty, coverage. An object; may be empty.
  json::Value fitted = json::Value::object();

  [[nodiscard]] bool empty() const { return least_confidence.empty() && !most_energy; }
  /// @param said the class of the answer; below least_confidence.size() where there is one a class. An image that is
  /// both unfamiliar and unsure is unfamiliar.
  [[nodiscard]] Doubt judge(int said, double confidence, double image_energy) const;
};

/// {"least_confidence": number or one a class or null, "most_energy": number or null, "fitted": {...}}
json::Value to_json(const AbstentionPolicy& policy);
/// InvalidArgument when a member is of another type, a confidence outside [0, 1] or an energy not finite.
Result<AbstentionPolicy> abstention_from_json(const json::Value& value);
/// The same, and when there are neither one nor `classes` confidences.
Result<void> check_abstention(const AbstentionPolicy& policy, int classes);

}  // namespace imago::model
