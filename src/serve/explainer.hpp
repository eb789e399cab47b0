// SPDX-License-Identifier: Apache-2.0
// Why a model says what it says of an image. Gradients need libtorch, which this program has not: imago-trainer
// computes them, in a process for what is asked at a time.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "evaluate/faithfulness.hpp"
#include "image/heatmap.hpp"
#include "image/image.hpp"
#include "json/json.hpp"
#include "model/spec.hpp"

namespace imago::serve {

struct Explanation {
  int class_index = 0;                ///< explained
  int predicted_index = 0;            ///< the most likely
  std::vector<double> probabilities;  ///< in class order
  std::string layer;                  ///< node of the network that was looked at
  std::string method;                 ///< "grad-cam"
  image::Heatmap heatmap;
  std::optional<evaluate::Faithfulness> faithfulness;  ///< none when it was not asked for, or the map is 0 everywhere
  std::string overlay_png;                             ///< of one that was asked about alone
};

/// {"predicted_class", "class", "class_index", "confidence", "class_probabilities", "layer", "method", "heatmap",
/// "faithfulness"}; the overlay is the caller's to add.
json::Value to_json(const Explanation& explanation, const std::vector<std::string>& labels);

struct Explainer {
  std::filesystem::path trainer;  ///< imago-trainer
  std::filesystem::path package;  ///< folder of the model
  std::chrono::milliseconds timeout{30'000};
  std::function<bool()> should_stop;  ///< may be empty
  std::function<void(std::size_t done, std::size_t total)> on_progress{};
};

struct Question {
  image::Image pixels;             ///< what the model is asked about, decoded as for a prediction
  std::optional<int> class_index;  ///< none: the predicted class
  bool scored = true;              ///< measure deletion and insertion, which takes most of the time
};

/// One answer a question, all by one process.
/// @error Timeout, Cancelled; Unavailable when there is no imago-trainer; what it reports.
Result<std::vector<Explanation>> explain(const Explainer& explainer, const model::ModelSpec& spec,
                                         std::span<const Question> questions);

/// One image, with the overlay. @param shown the same image as `pixels`, as large as the overlay may be.
Result<Explanation> explain(const Explainer& explainer, const model::ModelSpec& spec, const image::Image& pixels,
                            const image::Image& shown, std::optional<int> class_index);

/// The same for an encoded image, which is decoded once for each of the two.
Result<Explanation> explain(const Explainer& explainer, const model::ModelSpec& spec, Bytes encoded,
                            std::optional<int> class_index);

/// The class that `text` names: a label, another spelling of one, or an index. Empty: none. InvalidArgument otherwise,
/// with the labels there are.
Result<std::optional<int>> class_from(const model::ModelSpec& spec, std::string_view text);

}  // namespace imago::serve
