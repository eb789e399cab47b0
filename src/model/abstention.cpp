// SPDX-License-Identifier: Apache-2.0
#include "model/abstention.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace imago::model {
namespace {

constexpr std::array<std::string_view, 3> kDoubts{"none", "confidence", "energy"};

double log_sum_exp(std::span<const float> values, double shift) {
  const double largest = *std::ranges::max_element(values);
  double sum = 0.0;
  for (const float value : values) sum += std::exp(static_cast<double>(value) - largest);
  return largest + std::log(sum) + shift;
}

}  // namespace

double energy(std::span<const float> logits) {
  EXPECTS(!logits.empty(), "the energy of no logits");
  const bool one_output = logits.size() == 2 && logits[0] == 0.0F;
  return -log_sum_exp(logits, one_output ? -0.5 * static_cast<double>(logits[1]) : 0.0);
}

std::string_view to_string(Doubt doubt) { return kDoubts[static_cast<std::size_t>(doubt)]; }

Result<Doubt> doubt_from(std::string_view name) {
  const auto found = std::ranges::find(kDoubts, name);
  if (found == kDoubts.end())
    return fail(ErrorCode::InvalidArgument, "'{}' is no doubt: there are none, confidence and energy", name);
  return static_cast<Doubt>(found - kDoubts.begin());
}

Doubt AbstentionPolicy::judge(int said, double confidence, double image_energy) const {
  if (most_energy && image_energy > *most_energy) return Doubt::Energy;
  if (least_confidence.empty()) return Doubt::None;
  const std::size_t which = least_confidence.size() == 1 ? 0 : static_cast<std::size_t>(said);
  EXPECTS(which < least_confidence.size(), "a limit for each class");
  return confidence < least_confidence[which] ? Doubt::Confidence : Doubt::None;
}

Result<void> check_abstention(const AbstentionPolicy& policy, int classes) {
  const std::size_t limits = policy.least_confidence.size();
  if (limits > 1 && limits != static_cast<std::size_t>(classes))
    return fail(ErrorCode::InvalidArgument, "{} least confidences, but {} classes", limits, classes);
  for (const double limit : policy.least_confidence) {
    if (!(limit >= 0.0 && limit <= 1.0))
      return fail(ErrorCode::InvalidArgument, "the least confidence is {}, not from 0 to 1", limit);
  }
  if (policy.most_energy && !std::isfinite(*policy.most_energy))
    return fail(ErrorCode::InvalidArgument, "the most energy is {}, not a finite number", *policy.most_energy);
  return {};
}

json::Value to_json(const AbstentionPolicy& policy) {
  const auto& limits = policy.least_confidence;
  json::Value least = limits.size() == 1 ? json::Value(limits.front()) : json::Value(limits);
  return {{"least_confidence", limits.empty() ? json::Value() : std::move(least)},
          {"most_energy", policy.most_energy ? json::Value(*policy.most_energy) : json::Value()},
          {"fitted", policy.fitted}};
}

Result<AbstentionPolicy> abstention_from_json(const json::Value& value) {
  AbstentionPolicy policy;
  TRY(const auto least, json::get_or<json::Value>(value, "least_confidence", json::Value()));
  if (least.is_array()) {
    TRY(policy.least_confidence, json::get<std::vector<double>>(value, "least_confidence"));
  } else if (!least.is_null()) {
    TRY(const auto one, json::get<double>(value, "least_confidence"));
    policy.least_confidence = {one};
  }
  if (value.contains("most_energy") && !value["most_energy"].is_null()) {
    TRY(policy.most_energy, json::get<double>(value, "most_energy"));
  }
  TRY(policy.fitted, json::get_or<json::Value>(value, "fitted", json::Value::object()));
  TRY_VOID(check_abstention(policy, static_cast<int>(policy.least_confidence.size())));
  return policy;
}

}  // namespace imago::model
