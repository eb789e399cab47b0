// SPDX-License-Identifier: Apache-2.0
#include "data/check_each.hpp"

#include <algorithm>
#include <cmath>

namespace imago::data {
namespace {

/// Images one by one, each with how bad it is (larger is worse).
class OneByOne {
 public:
  OneByOne(std::string check, Severity severity) : finding_{.check = std::move(check), .severity = severity} {}

  void add(std::size_t entry, double badness, std::string note) {
    found_.push_back({badness, {{entry}, std::move(note)}});
  }

  /// @param what goes on after "3 images".
  Finding finish(std::string_view what) {
    std::stable_sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    for (auto& [badness, item] : found_) finding_.items.push_back(std::move(item));
    finding_.count = found_.size();
    finding_.message = fmt::format("{} {}", counted(finding_.count, "image"), what);
    return std::move(finding_);
  }

 private:
  Finding finding_;
  std::vector<std::pair<double, FindingItem>> found_;
};

/// What the manifest alone tells of size and shape.
void check_sizes(const Manifest& manifest, const CheckLimits& limits, std::vector<Finding>& findings) {
  OneByOne tiny("tiny", Severity::Poor);
  OneByOne huge("huge", Severity::Note);
  OneByOne odd("odd_aspect", Severity::Note);
  for (std::size_t i = 0; i < manifest.entries.size(); ++i) {
    const int width = manifest.entries[i].width;
    const int height = manifest.entries[i].height;
    const int shorter = std::max(1, std::min(width, height));
    const double pixels = static_cast<double>(width) * height;
    const double ratio = static_cast<double>(std::max(width, height)) / shorter;
    const auto note = fmt::format("{} x {} pixels", width, height);
    if (shorter < limits.tiny_side) tiny.add(i, -pixels, note);
    if (pixels > limits.huge_pixels) huge.add(i, pixels, note);
    if (ratio > limits.odd_aspect) odd.add(i, ratio, note);
  }
  findings.push_back(
      tiny.finish(fmt::format("with a side of less than {} pixels: there is little to learn from", limits.tiny_side)));
  findings.push_back(
      huge.finish(fmt::format("of more than {:g} million pixels: slow to read", limits.huge_pixels / 1e6)));
  findings.push_back(odd.finish(
      fmt::format("more than {:g} times as long as wide: a square input distorts or cuts such", limits.odd_aspect)));
}

void check_pixels(const std::vector<ImageFacts>& contents, const CheckLimits& limits, std::vector<Finding>& findings) {
  OneByOne damaged("damaged", Severity::Bad);
  OneByOne blank("blank", Severity::Poor);
  OneByOne brightness("brightness", Severity::Note);
  for (const auto& content : contents) {
    for (const std::size_t i : content.entries) {
      const auto note = fmt::format("brightness {:.0f} of 255", content.brightness);
      if (!content.damage.empty()) {
        damaged.add(i, 0, content.damage);
      } else if (content.blank) {
        blank.add(i, -content.contrast, note);
      } else if (content.brightness < limits.dark || content.brightness > limits.bright) {
        brightness.add(i, std::abs(content.brightness - 127.5), note);
      }
    }
  }
  findings.push_back(damaged.finish("in the store that can no longer be read, or changed since the import"));
  findings.push_back(blank.finish("of one colour, or nearly"));
  findings.push_back(brightness.finish("very dark or very bright"));
}

void check_channels(const Manifest& manifest, const std::vector<ImageFacts>& contents, const CheckLimits& limits,
                    std::vector<Finding>& findings) {
  OneByOne gray("gray", Severity::Note);
  OneByOne cmyk("cmyk", Severity::Note);
  OneByOne alpha("alpha", Severity::Note);
  OneByOne misnamed("wrong_type", Severity::Note);
  std::size_t colourless = 0;
  for (const auto& content : contents) {
    if (content.gray) colourless += content.entries.size();
    for (const std::size_t i : content.entries) {
      if (content.gray && !content.blank) gray.add(i, 0, "no colour");
      if (content.cmyk) cmyk.add(i, 0, "CMYK");
      if (content.alpha) alpha.add(i, 0, "alpha channel");
    }
    for (const std::size_t i : content.misnamed)
      misnamed.add(i, 0, fmt::format("{} inside", to_string(content.format)));
  }
  if (static_cast<double>(colourless) <= limits.rare_gray * static_cast<double>(manifest.entries.size()))
    findings.push_back(gray.finish("without colour, in a data set that has"));
  findings.push_back(cmyk.finish("in the four inks of print (CMYK): converted to RGB"));
  findings.push_back(alpha.finish("with transparency: white shows through"));
  findings.push_back(misnamed.finish("of another type than the file's name says; the bytes decided"));
}

}  // namespace

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::vector<Finding> check_each(const Manifest& manifest, const std::vector<ImageFacts>& contents,
                                const CheckLimits& limits) {
  std::vector<Finding> findings;
  check_sizes(manifest, limits, findings);
  check_pixels(contents, limits, findings);
  check_channels(manifest, contents, limits, findings);
  return findings;
}

}  // namespace imago::data
