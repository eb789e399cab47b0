// SPDX-License-Identifier: Apache-2.0
// What is wrong with a data set, worst first. Looking changes nothing. docs/check.md has the meaning of each check.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "data/check_images.hpp"
#include "data/manifest.hpp"
#include "data/repository.hpp"
#include "json/json.hpp"

namespace imago::data {

enum class Severity {
  Bad,   ///< makes measurements wrong: a leak, a damaged image, one image with two labels
  Poor,  ///< probably harms a model
  Note,  ///< worth knowing
};
std::string_view to_string(Severity severity) noexcept;  ///< "bad", "poor", "note"

/// Images that belong together, such as copies of one; or a single one.
struct FindingItem {
  std::vector<std::size_t> entries;  ///< of the manifest; of a leak, the test image first; empty: no image of it
  std::string note;                  ///< "4 of 64 bits", "3 x 5 pixels"
};

struct Finding {
  std::string check;  ///< "leak_exact": docs/check.md
  Severity severity = Severity::Note;
  std::size_t count = 0;           ///< images concerned
  std::string message;             ///< one sentence
  std::vector<FindingItem> items;  ///< worst first
};

struct Distribution {
  std::string name;  ///< "width"
  double min = 0, p5 = 0, median = 0, p95 = 0, max = 0;
  std::vector<std::size_t> histogram;  ///< equal bins from min to max; one when they are the same
};

struct CheckReport {
  std::string dataset;  ///< NAME@VERSION
  std::size_t images = 0;
  std::size_t distinct = 0;  ///< different contents
  std::size_t gray = 0;      ///< images without colour
  std::map<Split, std::vector<std::size_t>> counts;
  std::vector<Distribution> distributions;  ///< of width, height, aspect (width / height), brightness, contrast
  std::vector<Finding> findings;            ///< worst first; only those that found something
};

struct CheckLimits {
  int tiny_side = 16;              ///< shorter side below it
  double huge_pixels = 16e6;       ///< width * height above it
  double odd_aspect = 4.0;         ///< longer side / shorter side above it
  double dark = 16, bright = 239;  ///< brightness below or above
  double imbalance = 3.0;          ///< largest class / smallest class of the training split above it
  double rare_gray = 0.1;          ///< gray images are a finding when they are at most this share
};

/// Errors as Repository::load; Cancelled by `stop`. What is wrong with images is in the report, never an error.
Result<CheckReport> check_dataset(const Repository& repository, const std::string& reference, const CheckLimits& limits,
                                  const OnCheck& on_progress, const std::atomic<bool>* stop);

/// Puts findings that came later where they belong.
void sort_findings(CheckReport& report);

/// @param manifest of the report.
json::Value to_json(const CheckReport& report, const Manifest& manifest);

}  // namespace imago::data
