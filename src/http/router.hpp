// SPDX-License-Identifier: Apache-2.0
// Which handler a path belongs to.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "http/server.hpp"

namespace imago::http {

/// Immutable after construction; safe from any thread.
class Router {
 public:
  explicit Router(std::vector<Route> routes);

  struct Match {
    const Route* route = nullptr;                 ///< null: 404 when `allow` is empty, else 405
    std::map<std::string, std::string> captures;  ///< by name
    std::string allow;                            ///< "GET, HEAD, POST": what the path does have
  };
  /// A literal pattern goes before one with captures; among those, the first wins. HEAD falls back to GET. A slash at
  /// the end that no pattern has is passed over, as the frameworks that clients were written for do.
  [[nodiscard]] Match match(std::string_view method, std::string_view path) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  struct Pattern {
    std::vector<std::string> segments;  // "{name}" is a capture, "{name...}" takes the rest
    std::vector<std::size_t> routes;
  };

  [[nodiscard]] Match choose(const std::vector<std::size_t>& candidates, std::string_view method) const;

  std::vector<Route> routes_;
  std::unordered_map<std::string, std::vector<std::size_t>, Hash, std::equal_to<>> literal_;
  std::vector<Pattern> patterns_;
};

}  // namespace imago::http
