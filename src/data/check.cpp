// SPDX-License-Identifier: Apache-2.0
#include "data/check.hpp"

#include <algorithm>
#include <cmath>

#include "data/check_duplicates.hpp"
#include "data/import.hpp"

namespace imago::data {
namespace {

constexpr std::size_t kBins = 20;

/// Within one severity, what is told first.
constexpr std::array<std::string_view, 16> kOrder{
    "leak_exact",      "label_conflict", "damaged",        "leak_near", "suspicious_label", "refused",
    "duplicate_exact", "class_missing",  "blank",          "tiny",      "class_imbalance",  "odd_aspect",
    "brightness",      "huge",           "duplicate_near", "gray"};

std::size_t place(const std::string& check) {
  return static_cast<std::size_t>(std::find(kOrder.begin(), kOrder.end(), check) - kOrder.begin());
}

Distribution distribution(std::string name, std::vector<double> values) {
  Distribution made{.name = std::move(name)};
  if (values.empty()) return made;
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(std::llround(share * static_cast<double>(values.size() - 1)))];
  };
  made.min = values.front();
  made.p5 = at(0.05);
  made.median = at(0.5);
  made.p95 = at(0.95);
  made.max = values.back();
  const double width = (made.max - made.min) / static_cast<double>(kBins);
  made.histogram.resize(width > 0 ? kBins : 1);
  for (const double value : values) {
    const auto bin = width > 0 ? static_cast<std::size_t>((value - made.min) / width) : 0;
    ++made.histogram[std::min(bin, made.histogram.size() - 1)];
  }
  return made;
}

std::vector<Distribution> distributions(const Manifest& manifest, const std::vector<ImageFacts>& contents) {
  std::vector<double> width;
  std::vector<double> height;
  std::vector<double> aspect;
  std::vector<double> brightness;
  std::vector<double> contrast;
  for (const auto& entry : manifest.entries) {
    width.push_back(entry.width);
    height.push_back(entry.height);
    aspect.push_back(static_cast<double>(entry.width) / std::max(1, entry.height));
  }
  for (const auto& content : contents) {
    if (!content.damage.empty()) continue;
    brightness.insert(brightness.end(), content.entries.size(), content.brightness);
    contrast.insert(contrast.end(), content.entries.size(), content.contrast);
  }
  return {distribution("width", std::move(width)), distribution("height", std::move(height)),
          distribution("aspect", std::move(aspect)), distribution("brightness", std::move(brightness)),
          distribution("contrast", std::move(contrast))};
}

/// Images one by one, each with how bad it is (larger is worse).
class OneByOne {
 public:
  OneByOne(std::string check, Severity severity) : finding_{.check = std::move(check), .severity = severity} {}

  void add(std::size_t entry, double badness, std::string note) {
    found_.push_back({badness, {{entry}, std::move(note)}});
  }

  /// @param message with {} where the number goes.
  Finding finish(fmt::format_string<std::size_t> message) {
    std::stable_sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    for (auto& [badness, item] : found_) finding_.items.push_back(std::move(item));
    finding_.count = found_.size();
    finding_.message = fmt::format(message, std::size_t{finding_.count});
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
    const auto& [path, sha256, label, split, width, height, source] = manifest.entries[i];
    const int shorter = std::max(1, std::min(width, height));
    const double pixels = static_cast<double>(width) * height;
    const double ratio = static_cast<double>(std::max(width, height)) / shorter;
    const auto note = fmt::format("{} x {} pixels", width, height);
    if (shorter < limits.tiny_side) tiny.add(i, -pixels, note);
    if (pixels > limits.huge_pixels) huge.add(i, pixels, note);
    if (ratio > limits.odd_aspect) odd.add(i, ratio, note);
  }
  findings.push_back(tiny.finish("{} images are tiny: there is little to learn from"));
  findings.push_back(huge.finish("{} images are huge: they slow every first pass down"));
  findings.push_back(odd.finish("{} images are very long or very tall: a square input distorts or cuts them"));
}

void check_pixels(const std::vector<ImageFacts>& contents, const CheckLimits& limits, CheckReport& report) {
  OneByOne damaged("damaged", Severity::Bad);
  OneByOne blank("blank", Severity::Poor);
  OneByOne brightness("brightness", Severity::Note);
  OneByOne gray("gray", Severity::Note);
  for (const auto& content : contents) {
    for (const std::size_t i : content.entries) {
      if (!content.damage.empty()) {
        damaged.add(i, 0, content.damage);
        continue;
      }
      if (content.blank) {
        blank.add(i, -content.contrast, fmt::format("brightness {:.0f}", content.brightness));
      } else if (content.brightness < limits.dark || content.brightness > limits.bright) {
        brightness.add(i, std::abs(content.brightness - 127.5), fmt::format("brightness {:.0f}", content.brightness));
      }
      if (content.gray) ++report.gray;
      if (content.gray && !content.blank) gray.add(i, 0, "no colour");
    }
  }
  report.findings.push_back(damaged.finish("{} stored images can no longer be read"));
  report.findings.push_back(blank.finish("{} images are blank: one colour, or nearly"));
  report.findings.push_back(brightness.finish("{} images are very dark or very bright"));
  if (static_cast<double>(report.gray) <= limits.rare_gray * static_cast<double>(report.images))
    report.findings.push_back(gray.finish("{} images have no colour, in a data set that has"));
}

void check_classes(const Manifest& manifest, const CheckLimits& limits, CheckReport& report) {
  const auto train = report.counts.find(Split::Train);
  if (train == report.counts.end() || train->second.empty()) return;
  const auto [fewest, most] = std::minmax_element(train->second.begin(), train->second.end());
  const auto label = [&](auto at) { return manifest.labels[static_cast<std::size_t>(at - train->second.begin())]; };
  if (static_cast<double>(*most) > limits.imbalance * static_cast<double>(*fewest)) {
    report.findings.push_back(
        {.check = "class_imbalance",
         .severity = Severity::Poor,
         .count = *fewest,
         .message =
             fmt::format("{} training images of '{}' but {} of '{}': {:.1f} times as many", *fewest, label(fewest),
                         *most, label(most), static_cast<double>(*most) / std::max(1.0, static_cast<double>(*fewest))),
         .items = {}});
  }
  Finding missing{.check = "class_missing", .severity = Severity::Poor};
  for (const auto& [split, by_label] : report.counts) {
    if (std::all_of(by_label.begin(), by_label.end(), [](std::size_t n) { return n == 0; })) continue;
    for (std::size_t i = 0; i < by_label.size(); ++i) {
      if (by_label[i] == 0)
        missing.items.push_back({{}, fmt::format("no '{}' in the {} split", manifest.labels[i], to_string(split))});
    }
  }
  missing.count = missing.items.size();
  missing.message = fmt::format("{} times a class has no image in a split", missing.count);
  report.findings.push_back(std::move(missing));
}

Result<void> check_refusals(const Repository& repository, const std::string& reference, CheckReport& report) {
  TRY(const auto refusals, repository.refusals(reference));
  Finding finding{.check = "refused",
                  .severity = Severity::Poor,
                  .count = refusals.size(),
                  .message = fmt::format("{} files were refused at import", refusals.size())};
  for (const auto& refusal : refusals) finding.items.push_back({{}, refusal.path + ": " + refusal.reason});
  report.findings.push_back(std::move(finding));
  return {};
}

}  // namespace

std::string_view to_string(Severity severity) noexcept {
  switch (severity) {
    case Severity::Bad: return "bad";
    case Severity::Poor: return "poor";
    case Severity::Note: return "note";
  }
  return "note";
}

void sort_findings(CheckReport& report) {
  std::erase_if(report.findings, [](const Finding& finding) {
    return finding.count == 0 && finding.items.empty() && finding.check != "class_imbalance";
  });
  std::stable_sort(report.findings.begin(), report.findings.end(), [](const Finding& a, const Finding& b) {
    return std::pair(a.severity, place(a.check)) < std::pair(b.severity, place(b.check));
  });
}

Result<CheckReport> check_dataset(const Repository& repository, const std::string& reference, const CheckLimits& limits,
                                  const OnCheck& on_progress, const std::atomic<bool>* stop) {
  TRY(const auto manifest, repository.load(reference));
  CheckReport report{.dataset = manifest.name + "@" + version_of(manifest), .images = manifest.entries.size()};
  report.counts = count_images(manifest);
  TRY(const auto contents, look_at_images(repository, manifest, on_progress, stop));
  report.distinct = contents.size();
  report.distributions = distributions(manifest, contents);
  TRY(report.findings, find_copies(manifest, contents, on_progress, stop));
  check_sizes(manifest, limits, report.findings);
  check_pixels(contents, limits, report);
  check_classes(manifest, limits, report);
  TRY_VOID(check_refusals(repository, report.dataset, report));
  sort_findings(report);
  return report;
}

json::Value to_json(const CheckReport& report, const Manifest& manifest) {
  json::Value counts = json::Value::object();
  for (const auto& [split, by_label] : report.counts) {
    for (std::size_t i = 0; i < by_label.size(); ++i)
      counts[std::string(to_string(split))][manifest.labels[i]] = by_label[i];
  }
  json::Value distributions = json::Value::object();
  for (const auto& one : report.distributions)
    distributions[one.name] = {{"min", one.min}, {"p5", one.p5},   {"median", one.median},
                               {"p95", one.p95}, {"max", one.max}, {"histogram", one.histogram}};
  json::Value findings = json::Value::array();
  for (const auto& finding : report.findings) {
    json::Value items = json::Value::array();
    for (const auto& item : finding.items) {
      json::Value images = json::Value::array();
      for (const std::size_t i : item.entries) {
        const Entry& entry = manifest.entries[i];
        images.push_back({{"path", entry.path},
                          {"label", manifest.labels[static_cast<std::size_t>(entry.label)]},
                          {"split", to_string(entry.split)},
                          {"sha256", entry.sha256}});
      }
      items.push_back({{"note", item.note}, {"images", std::move(images)}});
    }
    findings.push_back({{"check", finding.check},
                        {"severity", to_string(finding.severity)},
                        {"count", finding.count},
                        {"message", finding.message},
                        {"items", std::move(items)}});
  }
  return {{"dataset", report.dataset},      {"images", report.images},
          {"distinct", report.distinct},    {"gray", report.gray},
          {"counts", std::move(counts)},    {"distributions", std::move(distributions)},
          {"findings", std::move(findings)}};
}

}  // namespace imago::data
