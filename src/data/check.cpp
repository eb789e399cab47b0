// SPDX-License-Identifier: Apache-2.0
#include "data/check.hpp"

#include <algorithm>
#include <cmath>

#include "data/check_duplicates.hpp"
#include "data/check_each.hpp"
#include "data/import.hpp"
#include "data/remarks.hpp"

namespace imago::data {
namespace {

constexpr std::size_t kBins = 20;

/// Within one severity, what is told first.
constexpr std::array<std::string_view, 19> kOrder{"leak_exact",
                                                  "label_conflict",
                                                  "damaged",
                                                  "leak_near",
                                                  "suspicious_label",
                                                  "refused",
                                                  "duplicate_exact",
                                                  "class_missing",
                                                  "blank",
                                                  "tiny",
                                                  "class_imbalance",
                                                  "odd_aspect",
                                                  "brightness",
                                                  "huge",
                                                  "duplicate_near",
                                                  "gray",
                                                  "cmyk",
                                                  "alpha",
                                                  "wrong_type"};

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
  Finding finding{.check = "refused", .severity = Severity::Poor, .count = refusals.size()};
  ReasonCounts kinds;
  for (const auto& refusal : refusals) {
    finding.items.push_back({{}, refusal.path + ": " + refusal.reason});
    kinds.add(refusal.reason);
  }
  finding.message = "not taken by the import: " + counted(refusals.size(), "file");
  for (const auto& [kind, count] : kinds.counts()) finding.message += fmt::format("; {}: {}", kind, count);
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
  for (const auto& content : contents) report.gray += content.gray ? content.entries.size() : 0;
  for (auto& finding : check_each(manifest, contents, limits)) report.findings.push_back(std::move(finding));
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
