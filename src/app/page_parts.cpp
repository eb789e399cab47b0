// SPDX-License-Identifier: Apache-2.0
#include "app/page_parts.hpp"

#include <algorithm>
#include <cmath>

#include "base/files.hpp"
#include "image/decode.hpp"
#include "image/encode.hpp"
#include "image/preprocess.hpp"
#include "serve/base64.hpp"

namespace imago::app {
namespace {

constexpr int kThumbnailSide = 96;
constexpr std::size_t kInlineBytes = 12'000;

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

}  // namespace

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

std::string image_figure(const data::Repository& repository, const data::Entry& entry, const std::string& caption,
                         const std::vector<Overlay>& overlays) {
  std::string html = overlays.empty() ? "<figure>" : "<figure class=\"explained\"><div class=\"images\">";
  if (const auto picture = thumbnail(repository, entry.sha256); picture)
    html += fmt::format("<img{} alt=\"\" src=\"{}\">", picture->small ? " class=\"small\"" : "", picture->url);
  else
    html += "<span class=\"none\">unreadable</span>";
  for (const Overlay& one : overlays)
    html += fmt::format("<span><img alt=\"{}\" src=\"data:image/jpeg;base64,{}\"><span class=\"for\">{}</span></span>",
                        escape(one.of), serve::encode_base64(one.jpeg), escape(one.of));
  if (!overlays.empty()) html += "</div>";
  // The path's end tells most: it is cut on the left. The mark keeps a leading bracket or dot where it is.
  const std::string path = escape(entry.path);
  return html + fmt::format("<figcaption>{}<span class=\"path\" title=\"{}\">&lrm;{}</span></figcaption></figure>",
                            caption, path, path);
}

}  // namespace imago::app
