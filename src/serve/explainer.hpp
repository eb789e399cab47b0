// SPDX-License-Identifier: Apache-2.0
// Why a model says what it says of an image. Gradients need libtorch, which this program has not: imago-trainer
// computes them, a process for each explanation.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "image/heatmap.hpp"
#include "image/image.hpp"
#include "model/spec.hpp"

namespace imago::serve {

struct Explanation {
  int class_index = 0;                ///< explained
  int predicted_index = 0;            ///< the most likely
  std::vector<double> probabilities;  ///< in class order
  std::string layer;                  ///< node of the network that was looked at
  std::string method;                 ///< "grad-cam"
  image::Heatmap heatmap;
  std::string overlay_png;
};

struct Explainer {
  std::filesystem::path trainer;  ///< imago-trainer
  std::filesystem::path package;  ///< folder of the model
  std::chrono::milliseconds timeout{30'000};
  std::function<bool()> should_stop;  ///< may be empty
};

/// @param pixels what the model is asked about, decoded as for a prediction. @param shown the same image, as large as
/// the overlay may be. @param class_index none: the predicted class.
/// @error Timeout, Cancelled; Unavailable when there is no imago-trainer; what it reports.
Result<Explanation> explain(const Explainer& explainer, const model::ModelSpec& spec, const image::Image& pixels,
                            const image::Image& shown, std::optional<int> class_index);

/// The same for an encoded image, which is decoded once for each of the two.
Result<Explanation> explain(const Explainer& explainer, const model::ModelSpec& spec, Bytes encoded,
                            std::optional<int> class_index);

/// The class that `text` names: a label, another spelling of one, or an index. Empty: none. InvalidArgument otherwise,
/// with the labels there are.
Result<std::optional<int>> class_from(const model::ModelSpec& spec, std::string_view text);

}  // namespace imago::serve
