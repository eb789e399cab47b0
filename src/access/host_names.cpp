// SPDX-License-Identifier: Apache-2.0
#include "access/host_names.hpp"

#include <algorithm>

#include "access/network.hpp"

namespace imago::access {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-_.";

/// "localhost:8000" as "localhost", "[::1]:8000" as "::1"; what is neither is returned as it is.
std::string_view without_port(std::string_view host) {
  const auto colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find_first_not_of(kDigits, colon + 1) == std::string_view::npos &&
      (host.starts_with('[') ? host[colon - 1] == ']' : host.find(':') == colon))
    host = host.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) return host.substr(1, host.size() - 2);
  return host;
}

std::string lower(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return small;
}

/// `pattern` starts with a dot: that name, or one under it.
bool is_under(std::string_view name, std::string_view pattern) {
  return name == pattern.substr(1) || (name.size() > pattern.size() && name.ends_with(pattern));
}

}  // namespace

bool is_known_host(std::string_view host, const std::vector<std::string>& names) {
  std::string name = lower(without_port(host));
  if (parse_address(name)) return true;  // an address is looked up nowhere
  if (name.find_first_not_of(kNameCharacters) != std::string::npos) return false;
  if (name.ends_with('.')) name.pop_back();
  if (is_under(name, ".localhost")) return true;
  return std::ranges::any_of(names, [&](const std::string& known) {
    return known == "*" || (known.starts_with('.') ? is_under(name, lower(known)) : name == lower(known));
  });
}

Result<void> check_host_name(std::string_view name) {
  if (name == "*" ||
      (!name.empty() && name != "." && lower(name).find_first_not_of(kNameCharacters) == std::string::npos))
    return {};
  return fail(
      ErrorCode::InvalidArgument,
      "'{}' is no host name: give it without scheme and port, as imago.example.org; .example.org for all under it",
      name);
}

}  // namespace imago::access
