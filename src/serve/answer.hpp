// SPDX-License-Identifier: Apache-2.0
// The answer to /predict: one object that holds what every client of requirements 1.8 C5 looks for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "http/server.hpp"
#include "model/abstention.hpp"

namespace imago::serve {

/// What a request asked to see.
struct AnswerOptions {
  bool prediction_as_index = false;  ///< `?prediction=index`: S2's reading
  std::uint32_t fields = ~0U;        ///< `?fields=a,b`: a bit for each, in the order of kAnswerFields
  bool energy = false;               ///< `?details=energy`, or among the fields: not there unless asked for
  int top = 0;                       ///< `?top=k`: so many of the likeliest classes; 0: none
};
/// InvalidArgument naming the field or value that is not known.
Result<AnswerOptions> answer_options(const http::Request& request);
/// Without what is the same for all images of one request: model, model_version, request_id, timestamp.
AnswerOptions for_each_of_many(AnswerOptions options);

inline constexpr int kMostTop = 1000;

/// One prediction, as far as it changes from one to the next.
struct Prediction {
  std::optional<std::string_view> filename;
  std::span<const double> probabilities;  ///< in class order
  int class_index = 0;
  std::optional<model::Doubt> doubt = {};  ///< none: the model has no policy, and never abstains
  double energy = 0.0;
  double latency_seconds = 0.0;
  WallTime time;
  std::string_view request_id;
};

/// Who answers, small enough to be kept with each answer.
struct AnsweredBy {
  std::string model;
  int version = 0;
  std::vector<std::string> labels;
};

/// Writes answers of one model. Immutable: safe from any thread.
class AnswerWriter {
 public:
  /// @param labels 2 or more.
  AnswerWriter(std::string_view model, int version, const std::vector<std::string>& labels);

  [[nodiscard]] const std::shared_ptr<const AnsweredBy>& by() const { return by_; }

  /// A JSON object. Probabilities are written as float32, the precision they were computed in. With two classes,
  /// `probability_<label 1>` is added, and `probability_dog` wherever one class is "dog" (S3).
  [[nodiscard]] std::string write(const Prediction& prediction, const AnswerOptions& options = {}) const;

 private:
  void append_likeliest(std::string& out, std::span<const double> probabilities, int k) const;

  std::shared_ptr<const AnsweredBy> by_;
  std::string model_;  // this and what follows as JSON
  std::string version_;
  std::vector<std::string> labels_;
  std::vector<std::pair<std::string, std::size_t>> binary_keys_;  // not as JSON
};

}  // namespace imago::serve
