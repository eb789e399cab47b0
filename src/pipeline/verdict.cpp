// SPDX-License-Identifier: Apache-2.0
#include "pipeline/verdict.hpp"

#include <algorithm>
#include <vector>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "infer/engine.hpp"

namespace imago::pipeline {
namespace {

struct Accuracy {
  double accuracy = 0.0;
  bool anew = false;
};

Result<Accuracy> measure(Workspace& workspace, const registry::ModelVersion& version, const Candidate& candidate,
                         const data::Manifest& manifest, const OnProgress& on_progress) {
  TRY(const auto package, workspace.models().open(version));
  const auto digest = json::get_or<std::string>(package.lineage, "test_digest", "");
  if (digest && *digest == digest_of(manifest, candidate.split) && version.test_accuracy >= 0.0)
    return Accuracy{version.test_accuracy, false};
  TRY(const auto engine, infer::Engine::load(package));
  TRY(const auto metrics, evaluate_split(workspace, *engine, package.spec, manifest, candidate.split, on_progress));
  return Accuracy{metrics.accuracy, true};
}

}  // namespace

data::Split frozen_split(const data::Manifest& manifest) {
  return manifest.indices(data::Split::Test).empty() ? data::Split::Validation : data::Split::Test;
}

std::string digest_of(const data::Manifest& manifest, data::Split split) {
  std::vector<std::string> rows;
  for (const std::size_t i : manifest.indices(split)) {
    const auto& entry = manifest.entries[i];
    rows.push_back(fmt::format("{} {}\n", entry.sha256, manifest.labels[static_cast<std::size_t>(entry.label)]));
  }
  std::sort(rows.begin(), rows.end());
  std::string text;
  for (const auto& row : rows) text += row;
  return sha256(text);
}

Result<Verdict> judge(Workspace& workspace, const Candidate& candidate, const data::Manifest& manifest,
                      const OnProgress& on_progress) {
  const auto champion = workspace.models().resolve(candidate.model + ":champion");
  if (!champion) {
    if (champion.error().code != ErrorCode::NotFound) return tl::unexpected<Error>(champion.error());
    return Verdict{true, "champion: the first version of this model", std::nullopt};
  }
  const auto before = measure(workspace, *champion, candidate, manifest, on_progress);
  if (!before) {
    if (before.error().code != ErrorCode::InvalidArgument) return tl::unexpected<Error>(before.error());
    return Verdict{false,
                   fmt::format("challenger: version {} cannot be measured on these test images: {}; compare them, then "
                               "promote",
                               champion->version, before.error().message),
                   std::nullopt};
  }
  const bool not_worse = candidate.accuracy >= before->accuracy - candidate.margin;
  std::string reason =
      fmt::format("{}: test accuracy {:.4f}, version {} has {:.4f}", not_worse ? "champion" : "challenger",
                  candidate.accuracy, champion->version, before->accuracy);
  if (candidate.margin > 0.0) reason += fmt::format(", {:g} may be lost", candidate.margin);
  if (before->anew) reason += " (measured anew on these test images)";
  return Verdict{not_worse, std::move(reason), before->accuracy};
}

}  // namespace imago::pipeline
