// SPDX-License-Identifier: Apache-2.0
// multipart/form-data bodies (RFC 7578), read in place.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace imago::http {

/// A part of a multipart/form-data body.
struct Part {
  std::string name;
  std::string filename;  ///< as the client wrote it: never use it as a path
  std::string content_type;
  std::string_view data;  ///< into the request's body
  bool is_file = false;   ///< a filename was given, even an empty one
};

/// Splits `body` without copying the data. InvalidArgument when the boundary is missing or not RFC 2046's, the body is
/// cut, a part has no name, or a part's header is over 8 KiB; ResourceExhausted over `max_parts`.
///
/// Why not libmicrohttpd's MHD_PostProcessor: it wants an MHD_Connection, which this seam hides, hands out copies in
/// pieces where the decoder needs the image in one span, and takes a body that ends early for complete.
Result<std::vector<Part>> parse_multipart(std::string_view content_type, std::string_view body,
                                          std::size_t max_parts = 10'000);

/// The value of `parameter` in a header such as `form-data; name="file"`, unquoted; false when absent.
bool header_parameter(std::string_view header, std::string_view parameter, std::string* value);

}  // namespace imago::http
