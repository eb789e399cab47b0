// SPDX-License-Identifier: Apache-2.0
// Whether a new model replaces the one that serves: only if it is not worse on the same test images.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "data/manifest.hpp"
#include "pipeline/evaluate_model.hpp"
#include "pipeline/workspace.hpp"

namespace imago::pipeline {

/// The test split, or validation where a data set has none; the report says which.
data::Split frozen_split(const data::Manifest& manifest);

/// sha256 over the content and label of each image of `split`, in no particular order: two data sets with the same test
/// images have the same.
std::string digest_of(const data::Manifest& manifest, data::Split split);

struct Candidate {
  std::string model;
  double accuracy = 0.0;
  data::Split split = data::Split::Test;
  double margin = 0.0;  ///< how much worse than the champion it may be
};

struct Verdict {
  bool champion = false;
  std::string reason;                       ///< "champion: test accuracy ..."
  std::optional<double> previous_accuracy;  ///< the champion's, on the same images
};

/// Champion when there is none yet, or when `candidate.accuracy` is not below the champion's minus the margin. A
/// champion that was measured on other images is measured anew on these; one with other classes cannot be compared.
Result<Verdict> judge(Workspace& workspace, const Candidate& candidate, const data::Manifest& manifest,
                      const OnProgress& on_progress);

}  // namespace imago::pipeline
