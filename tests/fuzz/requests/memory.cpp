// SPDX-License-Identifier: Apache-2.0
#include "fuzz/requests/memory.hpp"

#include <algorithm>

namespace imago::fuzz {
namespace {

constexpr std::size_t kMostKept = 64;
constexpr std::size_t kMostRead = 64 * 1024;  // of an answer
constexpr std::string_view kOpens = "{{", kCloses = "}}";

bool is_hex(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

/// Which kind of id this is; empty for anything else.
std::string_view kind_of(std::string_view text) {
  const bool is_numbered = text.size() == 17 && is_hex(text.substr(1));
  if (is_numbered && text.front() == 'u') return "upload";
  if (is_numbered && text.front() == 'f') return "feedback";
  if (text.size() == 64 && is_hex(text)) return "sha256";
  if (text.size() < 40 && text.starts_with("job-")) return "job";
  if (text.size() == 22 && text[8] == '-' && text[15] == '-' && is_hex(text.substr(0, 8))) return "run";
  return {};
}

}  // namespace

void Memory::learn(std::string_view body) {
  body = body.substr(0, kMostRead);
  for (auto quote = body.find('"'); quote != std::string_view::npos; quote = body.find('"')) {
    body.remove_prefix(quote + 1);
    const auto text = body.substr(0, body.find('"'));
    const auto kind = kind_of(text);
    if (kind.empty()) continue;
    auto& known = seen_[std::string(kind)];
    if (std::ranges::find(known, text) != known.end()) continue;
    known.emplace_back(text);
    if (known.size() > kMostKept) known.pop_front();
  }
}

std::string Memory::fill(std::string text, Rng& rng) const {
  for (auto at = text.find(kOpens); at != std::string::npos; at = text.find(kOpens, at)) {
    const auto end = text.find(kCloses, at);
    if (end == std::string::npos) break;
    const auto found = seen_.find(std::string_view(text).substr(at + 2, end - at - 2));
    const std::string id = found == seen_.end() ? "nobody" : found->second[rng.below(found->second.size())];
    text.replace(at, end + 2 - at, id);
    at += id.size();
  }
  return text;
}

}  // namespace imago::fuzz
