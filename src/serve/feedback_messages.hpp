// SPDX-License-Identifier: Apache-2.0
// Feedback as HTTP says it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "http/server.hpp"
#include "json/json.hpp"
#include "monitor/feedback.hpp"

namespace imago::serve {

/// What a client tells of one answer; what it does not tell is empty.
struct Told {
  std::string request;
  int item = 0;
  std::string label;
  std::string model;
  int version = 0;
  std::string predicted;
  std::optional<double> confidence{};
  std::string sha256{};
  std::string note{};
  std::string filename{};
  std::string owned_image{};      ///< from base64
  std::string_view sent_image{};  ///< a file of a form, in the request's body

  [[nodiscard]] std::string_view image() const { return sent_image.empty() ? owned_image : sent_image; }
};

/// From JSON, or from a form whose fields have the same names and whose file is the image. Unsupported for another type
/// of body; InvalidArgument or Corrupt when something is missing or no good.
Result<Told> told_in(const http::Request& request);

json::Value to_json(const monitor::Feedback& feedback);
/// [{"model", "version", "count", "correct", "accuracy"}]
json::Value to_json(const std::vector<monitor::LiveAccuracy>& accuracy);

}  // namespace imago::serve
