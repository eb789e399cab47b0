// SPDX-License-Identifier: Apache-2.0
// The dashboard's files, inside the binary. Made by web/embed.mjs from the Vite build.
#pragma once

#include <span>
#include <string_view>

namespace imago::web {

/// One file of the dashboard; every view lives as long as the program.
struct Asset {
  std::string_view path;        ///< as in the URL: "/index.html", "/assets/index-4fzyvmhz.js"
  std::string_view media_type;  ///< ready for Content-Type: "text/html; charset=utf-8"
  std::string_view content;     ///< the file's bytes, uncompressed
  std::string_view etag;        ///< quoted, ready for ETag: the first 16 hex digits of the content's SHA-256
};

/// Every file, sorted by path. Those under /assets/ carry a content hash in their name and may be cached for ever.
std::span<const Asset> assets();

/// The page that describes the API, with what it loads: "/docs", "/docs/...", "/openapi.json".
std::span<const Asset> documentation_assets();

}  // namespace imago::web
