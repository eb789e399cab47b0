// SPDX-License-Identifier: Apache-2.0
#include "data/remarks.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "image/conversions.hpp"

namespace imago::data {
namespace {

struct Ending {
  std::string_view text;
  std::optional<image::Format> format;  // none: of a format we do not read
};
using image::Format;
constexpr std::array kEndings{Ending{"jpg", Format::Jpeg},
                              Ending{"jpeg", Format::Jpeg},
                              Ending{"jpe", Format::Jpeg},
                              Ending{"jfif", Format::Jpeg},
                              Ending{"png", Format::Png},
                              Ending{"apng", Format::Png},
                              Ending{"webp", Format::WebP},
                              Ending{"gif", Format::Gif},
                              Ending{"bmp", Format::Bmp},
                              Ending{"dib", Format::Bmp},
                              Ending{"tif", {}},
                              Ending{"tiff", {}},
                              Ending{"heic", {}},
                              Ending{"avif", {}}};

const Ending* ending_of(std::string_view path) {
  std::string ending(path.substr(std::min(path.size(), path.find_last_of("./") + 1)));
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const auto* known = std::find_if(kEndings.begin(), kEndings.end(), [&](const Ending& e) { return e.text == ending; });
  return known == kEndings.end() ? nullptr : known;
}

/// True when the ending is one of an image, but not of this format.
bool contradicts(std::string_view path, Format format) {
  const auto* ending = ending_of(path);
  return ending != nullptr && ending->format != format;
}

/// The part of a reason that many files share: without values and quoted names.
std::string kind_of(std::string_view reason) {
  if (reason.find(", at most ") != std::string_view::npos) return "too large";
  reason = reason.substr(0, reason.find(": "));
  std::string kind;
  for (bool quoted = false; const char c : reason) {
    if (c == '\'') quoted = !quoted;
    if (c == '\'' && quoted) kind += "'...'";
    if (c != '\'' && !quoted) kind += c;
  }
  return kind;
}

}  // namespace

bool has_image_ending(std::string_view path) { return ending_of(path) != nullptr; }

unsigned remarks_on(std::string_view path, Bytes encoded) {
  const auto found = image::conversions(encoded);
  if (!found) return 0;
  return (found->turned ? kTurned : 0U) | (contradicts(path, found->format) ? kOtherType : 0U) |
         (found->cmyk ? kCmyk : 0U) | (found->deep ? kDeep : 0U) | (found->first_frame ? kFirstFrame : 0U);
}

std::vector<std::string> remark_texts(unsigned remarks) {
  constexpr std::array<std::pair<unsigned, std::string_view>, 5> kTexts{
      {{kTurned, "turned as its EXIF data says"},
       {kOtherType, "its ending names another format: its bytes decide"},
       {kCmyk, "CMYK converted to RGB"},
       {kDeep, "16 bits a channel reduced to 8"},
       {kFirstFrame, "only the first frame of an animation"}}};
  std::vector<std::string> texts;
  for (const auto& [bit, text] : kTexts)
    if ((remarks & bit) != 0) texts.emplace_back(text);
  return texts;
}

void ReasonCounts::add(std::string_view reason) {
  auto kind = kind_of(reason);
  if (!counts_.contains(kind) && counts_.size() >= kMostKinds) kind = "other reasons";
  ++counts_[kind];
}

}  // namespace imago::data
