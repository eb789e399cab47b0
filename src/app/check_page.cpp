// SPDX-License-Identifier: Apache-2.0
#include "app/check_page.hpp"

#include <algorithm>

#include "app/check_words.hpp"
#include "app/page_head.hpp"
#include "app/page_parts.hpp"

namespace imago::app {
namespace {

/// Of a finding; all else is in the JSON. The page stays a page however much was found.
constexpr std::size_t kItemsShown = 48;
constexpr std::size_t kImagesInAll = 144;
constexpr std::size_t kImagesOfAnItem = 8;

class Page {
 public:
  Page(const data::Repository& repository, const data::Manifest& manifest, const data::CheckReport& report)
      : repository_(repository), manifest_(manifest), report_(report) {}

  std::string write() {
    html_ = kPageHead;
    add("<title>{0}: check</title></head><body><h1>{0}</h1><p class=\"soft\">{1} images, {2} of them different, {3} "
        "classes. Nothing was changed.</p>",
        escape(report_.dataset), report_.images, report_.distinct, manifest_.labels.size());
    summary();
    for (const auto& finding : report_.findings) section(finding);
    charts();
    counts();
    html_ += "</body></html>\n";
    return std::move(html_);
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> text, Args&&... args) {
    html_ += fmt::format(text, std::forward<Args>(args)...);
  }

  void summary() {
    if (report_.findings.empty()) {
      html_ += "<section><h2>Nothing found</h2><p>No check has anything to say.</p></section>";
      return;
    }
    html_ += "<section><h2>Found, worst first</h2><table class=\"found\">";
    for (const auto& finding : report_.findings)
      add("<tr><td><span class=\"severity {0}\">{0}</span></td><td><a href=\"#{1}\">{2}</a></td><td>{3}</td></tr>",
          data::to_string(finding.severity), finding.check, words_of(finding.check).title, escape(finding.message));
    html_ += "</table></section>";
  }

  void section(const data::Finding& finding) {
    const CheckWords words = words_of(finding.check);
    add("<section id=\"{0}\"><h2>{1}<span class=\"severity {2}\">{2}</span></h2><p>{3}. <code>{0}</code></p>"
        "<p class=\"soft\">{4}</p><div class=\"items\">",
        finding.check, words.title, data::to_string(finding.severity), escape(finding.message), words.advice);
    std::size_t shown = 0;
    for (std::size_t images = 0; shown < std::min(kItemsShown, finding.items.size()) && images < kImagesInAll; ++shown)
      images += item(finding.items[shown]);
    html_ += "</div>";
    if (finding.items.size() > shown)
      add("<p class=\"soft\">and {} more: all are in the JSON</p>", finding.items.size() - shown);
    html_ += "</section>";
  }

  /// Returns the number of its images on the page.
  std::size_t item(const data::FindingItem& item) {
    add("<div class=\"item{}\"><div class=\"images\">", item.entries.size() == 1 ? " alone" : "");
    const std::size_t shown = std::min(kImagesOfAnItem, item.entries.size());
    for (std::size_t i = 0; i < shown; ++i) figure(manifest_.entries[item.entries[i]]);
    add("</div><p class=\"soft\">{}{}</p></div>", escape(item.note),
        item.entries.size() > shown ? fmt::format(", and {} more", item.entries.size() - shown) : "");
    return shown;
  }

  void figure(const data::Entry& entry) {
    html_ += image_figure(
        repository_, entry,
        fmt::format("<strong>{}</strong> {}", escape(manifest_.labels[static_cast<std::size_t>(entry.label)]),
                    data::to_string(entry.split)));
  }

  void charts() {
    html_ += "<section><h2>Distributions</h2><div class=\"charts\">";
    for (const auto& one : report_.distributions) {
      if (!one.histogram.empty()) chart(one);
    }
    add("</div><p class=\"soft\">{} of {} images are without colour</p></section>", report_.gray, report_.images);
  }

  void chart(const data::Distribution& one) {
    const auto most = static_cast<double>(*std::max_element(one.histogram.begin(), one.histogram.end()));
    const double width = 200.0 / static_cast<double>(one.histogram.size());
    add("<div><strong>{}</strong><svg viewBox=\"0 0 200 60\" preserveAspectRatio=\"none\" role=\"img\" "
        "aria-label=\"histogram\">",
        one.name);
    for (std::size_t i = 0; i < one.histogram.size(); ++i) {
      if (one.histogram[i] == 0) continue;
      const double height = std::max(1.0, 60.0 * static_cast<double>(one.histogram[i]) / most);
      add("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\"><title>{}</title></rect>",
          static_cast<double>(i) * width, 60 - height, width * 0.9, height, one.histogram[i]);
    }
    add("</svg><p class=\"soft\">{:.4g} to {:.4g}, median {:.4g}</p><p class=\"soft\">nine in ten from {:.4g} to "
        "{:.4g}</p></div>",
        one.min, one.max, one.median, one.p5, one.p95);
  }

  void counts() {
    std::size_t most = 1;
    for (const auto& [split, by_label] : report_.counts)
      for (const std::size_t n : by_label) most = std::max(most, n);
    html_ += "<section><h2>Images of each class</h2><div class=\"scroll\"><table><tr><th>Class</th>";
    for (const auto& [split, by_label] : report_.counts) add("<th class=\"n\">{}</th>", data::to_string(split));
    html_ += "</tr>";
    for (std::size_t i = 0; i < manifest_.labels.size(); ++i) {
      add("<tr><td>{}</td>", escape(manifest_.labels[i]));
      for (const auto& [split, by_label] : report_.counts)
        add("<td class=\"n share\" style=\"background-size: {:.1f}% 3px\">{}</td>",
            100.0 * static_cast<double>(by_label[i]) / static_cast<double>(most), by_label[i]);
      html_ += "</tr>";
    }
    html_ += "</table></div></section>";
  }

  const data::Repository& repository_;
  const data::Manifest& manifest_;
  const data::CheckReport& report_;
  std::string html_;
};

}  // namespace

std::string check_page(const data::Repository& repository, const data::Manifest& manifest,
                       const data::CheckReport& report) {
  return Page(repository, manifest, report).write();
}

}  // namespace imago::app
