// SPDX-License-Identifier: Apache-2.0
#include "app/check_page.hpp"

#include <algorithm>
#include <cmath>

#include "base/files.hpp"
#include "image/decode.hpp"
#include "image/encode.hpp"
#include "image/preprocess.hpp"
#include "serve/base64.hpp"

namespace imago::app {
namespace {

constexpr std::size_t kItemsShown = 48;
constexpr std::size_t kImagesOfAnItem = 8;
constexpr int kThumbnailSide = 96;
constexpr std::size_t kInlineBytes = 12'000;

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #d9dee5; --card: #fff; --page: #f5f6f8;
  --bad: #b3261e; --poor: #96590b; --note: #33628f; --bar: #4a7fb5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa5b3; --line: #353d49; --card: #1d232c;
  --page: #14181e; --bad: #ff8a80; --poor: #f0b45a; --note: #8ab8e6; --bar: #6fa3d8; } }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 0 0 .5rem; }
p { margin: .25rem 0; } .soft { color: var(--soft); }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem .3rem 0;
  border-bottom: 1px solid var(--line); vertical-align: top; } td.n, th.n { text-align: right; }
.bad { color: var(--bad); } .poor { color: var(--poor); } .note { color: var(--note); }
.severity { font-weight: 600; } a { color: inherit; }
.items { display: flex; flex-wrap: wrap; gap: .75rem; }
.item { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem; max-width: 100%; }
.images { display: flex; flex-wrap: wrap; gap: .5rem; } figure { margin: 0; width: 96px; }
figure img { width: 96px; height: 96px; object-fit: contain; background: var(--page); display: block; }
img.small { image-rendering: pixelated; }
figcaption { font-size: 12px; line-height: 1.3; overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1rem; }
svg { width: 100%; height: 60px; display: block; } rect { fill: var(--bar); }
</style>
)";

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

struct Thumbnail {
  std::string url;
  bool small = false;  ///< shown larger than it is
};

Result<Thumbnail> thumbnail(const data::Repository& repository, const std::string& sha256) {
  TRY(const auto bytes, repository.read_object(sha256));
  TRY(const auto known, image::probe(as_bytes(bytes)));
  const bool small = std::max(known.width, known.height) <= kThumbnailSide;
  TRY(auto image, image::decode_for({.width = kThumbnailSide, .height = kThumbnailSide}, as_bytes(bytes)));
  if (small && bytes.size() <= kInlineBytes)
    return Thumbnail{fmt::format("data:{};base64,{}", image::media_type(known.format), serve::encode_base64(bytes)),
                     true};
  const double scale = std::min(1.0, static_cast<double>(kThumbnailSide) / std::max(image.width, image.height));
  const image::Preprocess to{.width = std::max(1, static_cast<int>(std::lround(image.width * scale))),
                             .height = std::max(1, static_cast<int>(std::lround(image.height * scale)))};
  TRY(const auto reduced, image::resize(std::move(image), to));
  TRY(const auto jpeg, image::encode_jpeg(reduced, 80));
  return Thumbnail{"data:image/jpeg;base64," + serve::encode_base64(jpeg), small};
}

class Page {
 public:
  Page(const data::Repository& repository, const data::Manifest& manifest, const data::CheckReport& report)
      : repository_(repository), manifest_(manifest), report_(report) {}

  std::string write() {
    html_ = kHead;
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
    html_ += "<section><h2>Found, worst first</h2><table><tr><th></th><th>Check</th><th>What</th></tr>";
    for (const auto& finding : report_.findings)
      add("<tr><td class=\"severity {0}\">{0}</td><td><a href=\"#{1}\">{1}</a></td><td>{2}</td></tr>",
          data::to_string(finding.severity), finding.check, escape(finding.message));
    html_ += "</table></section>";
  }

  void section(const data::Finding& finding) {
    add("<section id=\"{0}\"><h2><span class=\"{1}\">{0}</span></h2><p>{2}.</p><div class=\"items\">", finding.check,
        data::to_string(finding.severity), escape(finding.message));
    const std::size_t shown = std::min(kItemsShown, finding.items.size());
    for (std::size_t i = 0; i < shown; ++i) item(finding.items[i]);
    html_ += "</div>";
    if (finding.items.size() > shown)
      add("<p class=\"soft\">and {} more: all are in the JSON</p>", finding.items.size() - shown);
    html_ += "</section>";
  }

  void item(const data::FindingItem& item) {
    html_ += "<div class=\"item\"><div class=\"images\">";
    const std::size_t shown = std::min(kImagesOfAnItem, item.entries.size());
    for (std::size_t i = 0; i < shown; ++i) figure(manifest_.entries[item.entries[i]]);
    add("</div><p class=\"soft\">{}{}</p></div>", escape(item.note),
        item.entries.size() > shown ? fmt::format(", and {} more", item.entries.size() - shown) : "");
  }

  void figure(const data::Entry& entry) {
    html_ += "<figure>";
    if (const auto picture = thumbnail(repository_, entry.sha256); picture)
      add("<img{} alt=\"\" src=\"{}\">", picture->small ? " class=\"small\"" : "", picture->url);
    add("<figcaption>{}<br>{}<br><span class=\"soft\">{}</span></figcaption></figure>",
        escape(manifest_.labels[static_cast<std::size_t>(entry.label)]), data::to_string(entry.split),
        escape(entry.path));
  }

  void charts() {
    html_ += "<section><h2>Distributions</h2><div class=\"charts\">";
    for (const auto& one : report_.distributions) {
      if (one.histogram.empty()) continue;
      const auto most = static_cast<double>(*std::max_element(one.histogram.begin(), one.histogram.end()));
      const double width = 200.0 / static_cast<double>(one.histogram.size());
      add("<div><strong>{}</strong><svg viewBox=\"0 0 200 60\" preserveAspectRatio=\"none\" role=\"img\" "
          "aria-label=\"histogram\">",
          one.name);
      for (std::size_t i = 0; i < one.histogram.size(); ++i) {
        const double height = 60.0 * static_cast<double>(one.histogram[i]) / most;
        add("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\"/>", static_cast<double>(i) * width,
            60 - height, width * 0.9, height);
      }
      add("</svg><span class=\"soft\">{:.4g} to {:.4g}, median {:.4g}</span></div>", one.min, one.max, one.median);
    }
    add("</div><p class=\"soft\">{} images without colour</p></section>", report_.gray);
  }

  void counts() {
    html_ += "<section><h2>Images of each class</h2><table><tr><th>Class</th>";
    for (const auto& [split, by_label] : report_.counts) add("<th class=\"n\">{}</th>", data::to_string(split));
    html_ += "</tr>";
    for (std::size_t i = 0; i < manifest_.labels.size(); ++i) {
      add("<tr><td>{}</td>", escape(manifest_.labels[i]));
      for (const auto& [split, by_label] : report_.counts) add("<td class=\"n\">{}</td>", by_label[i]);
      html_ += "</tr>";
    }
    html_ += "</table></section>";
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
