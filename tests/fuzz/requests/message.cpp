// SPDX-License-Identifier: Apache-2.0
#include "fuzz/requests/message.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace imago::fuzz {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

/// Up to `end`, which goes with it.
std::string_view take_until(std::string_view& text, std::string_view end) {
  const auto found = text.find(end);
  EXPECTS(found != std::string_view::npos, "a seed is a whole request");
  const auto taken = text.substr(0, found);
  text.remove_prefix(found + end.size());
  return taken;
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

void write_chunks(std::string& wire, std::string_view body, Rng& rng) {
  while (!body.empty()) {
    const auto size = static_cast<std::size_t>(1 + rng.below(std::min<std::size_t>(body.size(), 4096)));
    fmt::format_to(std::back_inserter(wire), "{:x}\r\n{}\r\n", size, body.substr(0, size));
    body.remove_prefix(size);
  }
  wire += "0\r\n\r\n";
}

}  // namespace

std::string* Message::header(std::string_view name) {
  const auto found = std::ranges::find_if(headers, [&](const auto& entry) { return same_name(entry.first, name); });
  return found == headers.end() ? nullptr : &found->second;
}

void Message::set_header(std::string_view name, std::string value) {
  if (std::string* known = header(name)) {
    *known = std::move(value);
  } else {
    headers.emplace_back(name, std::move(value));
  }
}

Message parse_message(std::string_view text) {
  Message message;
  auto line = take_until(text, kLineEnd);
  message.method = take_until(line, " ");
  message.target = take_until(line, " ");
  while (!(line = take_until(text, kLineEnd)).empty()) {
    const auto name = take_until(line, ": ");
    message.headers.emplace_back(name, line);
  }
  message.body = text;
  return message;
}

std::string write_message(const Message& message, Rng& rng) {
  std::string wire = fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n", message.method, message.target);
  for (const auto& [name, value] : message.headers) fmt::format_to(std::back_inserter(wire), "{}: {}\r\n", name, value);
  if (message.chunked) {
    wire += "Transfer-Encoding: chunked\r\n\r\n";
    write_chunks(wire, message.body, rng);
  } else {
    const bool has_body = !message.body.empty() || message.method.starts_with('P');
    if (has_body) fmt::format_to(std::back_inserter(wire), "Content-Length: {}\r\n", message.body.size());
    wire.append(kLineEnd).append(message.body);
  }
  return wire;
}

}  // namespace imago::fuzz
