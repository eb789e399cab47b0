// SPDX-License-Identifier: Apache-2.0
// A request in parts that can be changed one by one.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/rng.hpp"

namespace imago::fuzz {

struct Message {
  std::string method;
  std::string target;                                        ///< as it is sent: path and query, percent-encoded
  std::vector<std::pair<std::string, std::string>> headers;  ///< without Host and what frames the body
  std::string body;
  bool chunked = false;  ///< the body in chunks, in place of Content-Length

  [[nodiscard]] std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  [[nodiscard]] std::string* header(std::string_view name);
  /// Replaces it, or adds it.
  void set_header(std::string_view name, std::string value);
};

/// A seed: "POST /predict HTTP/1.1", header lines, an empty line, the body; lines end with CRLF.
Message parse_message(std::string_view text);

/// What goes over the wire. `rng` chooses how a chunked body is cut.
std::string write_message(const Message& message, Rng& rng);

}  // namespace imago::fuzz
