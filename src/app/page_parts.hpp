// SPDX-License-Identifier: Apache-2.0
// Inside app/: what the pages for people to look at are made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/repository.hpp"

namespace imago::app {

/// Text that is safe in HTML, in attributes too.
std::string escape(std::string_view text);

/// A heat map laid over an image.
struct Overlay {
  std::string of;  ///< the class that it explains
  std::string jpeg;
};

/// A <figure> with the image inside, reduced where it is large, the overlays beside it, and its path below the caption.
/// What cannot be read says so. @param caption HTML.
std::string image_figure(const data::Repository& repository, const data::Entry& entry, const std::string& caption,
                         const std::vector<Overlay>& overlays = {});

}  // namespace imago::app
