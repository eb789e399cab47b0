// SPDX-License-Identifier: Apache-2.0
#include "http/router.hpp"

#include <algorithm>
#include <optional>
#include <set>

namespace imago::http {
namespace {

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (true) {
    const auto slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

using Captures = std::map<std::string, std::string>;

std::optional<Captures> match_segments(const std::vector<std::string>& pattern, std::string_view path) {
  const auto segments = split(path);
  Captures captures;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (i >= segments.size()) return std::nullopt;
    const std::string_view expected = pattern[i];
    if (!expected.starts_with('{')) {
      if (expected != segments[i]) return std::nullopt;
    } else if (expected.ends_with("...}")) {
      const auto rest = path.substr(static_cast<std::size_t>(segments[i].data() - path.data()));
      captures.emplace(expected.substr(1, expected.size() - 5), rest);
      return captures;
    } else {
      if (segments[i].empty()) return std::nullopt;
      captures.emplace(expected.substr(1, expected.size() - 2), segments[i]);
    }
  }
  if (segments.size() != pattern.size()) return std::nullopt;
  return captures;
}

}  // namespace

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const auto& pattern = routes_[i].pattern;
    if (pattern.find('{') == std::string::npos) {
      literal_[pattern].push_back(i);
      continue;
    }
    const auto same = std::ranges::find_if(
        patterns_, [&](const Pattern& known) { return routes_[known.routes.front()].pattern == pattern; });
    if (same != patterns_.end()) {
      same->routes.push_back(i);
    } else {
      const auto segments = split(pattern);
      patterns_.push_back({{segments.begin(), segments.end()}, {i}});
    }
  }
}

Router::Match Router::match(std::string_view method, std::string_view path) const {
  if (const auto found = literal_.find(path); found != literal_.end()) return choose(found->second, method);
  for (const auto& pattern : patterns_) {
    if (auto captures = match_segments(pattern.segments, path)) {
      Match match = choose(pattern.routes, method);
      match.captures = std::move(*captures);
      return match;
    }
  }
  const bool has_slash_too_many = path.size() > 1 && path.ends_with('/') && !path.ends_with("//");
  return has_slash_too_many ? match(method, path.substr(0, path.size() - 1)) : Match{};
}

Router::Match Router::choose(const std::vector<std::size_t>& candidates, std::string_view method) const {
  const auto find = [&](std::string_view wanted) {
    return std::ranges::find_if(candidates, [&](std::size_t i) { return routes_[i].method == wanted; });
  };
  auto found = find(method);
  if (found == candidates.end() && method == "HEAD") found = find("GET");
  if (found != candidates.end()) return {&routes_[*found], {}, {}};

  std::set<std::string> methods;
  for (const std::size_t i : candidates) {
    methods.insert(routes_[i].method);
    if (routes_[i].method == "GET") methods.insert("HEAD");
  }
  Match none;
  for (const auto& name : methods) none.allow += (none.allow.empty() ? "" : ", ") + name;
  return none;
}

}  // namespace imago::http
