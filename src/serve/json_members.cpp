// SPDX-License-Identifier: Apache-2.0
#include "serve/json_members.hpp"

#include <algorithm>
#include <array>

namespace imago::serve {
namespace {

constexpr std::string_view kStructural = "[]{}\"";

constexpr auto kIsStructural = [] {
  std::array<bool, 256> table{};
  for (const char c : kStructural) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }

  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  bool take(char wanted) {
    skip_blanks();
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }

  /// Past a string, whose opening quote is next.
  bool skip_string() {
    for (++at_; !at_end(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        return true;
      }
      if (text_[at_] == '\\') ++at_;
    }
    return false;
  }

  /// Past a value: to its closing bracket, or to what ends a bare word.
  bool skip_value() {
    if (peek() == '"') return skip_string();
    if (peek() != '[' && peek() != '{') {
      const auto start = at_;
      at_ = std::min(text_.find_first_of(",}] \t\r\n", at_), text_.size());
      return at_ > start;
    }
    if (skip_flat_array()) return true;
    for (int depth = 0; !at_end();) {
      while (!at_end() && !kIsStructural[static_cast<unsigned char>(text_[at_])]) ++at_;
      if (at_end()) return false;
      if (peek() == '"') {
        if (!skip_string()) return false;
        continue;
      }
      depth += peek() == '[' || peek() == '{' ? 1 : -1;
      ++at_;
      if (depth == 0) return true;
    }
    return false;
  }

 private:
  /// Past an array that holds no other brackets or strings, such as thousands of numbers: a search for one character at
  /// a time is many times faster than looking at each.
  bool skip_flat_array() {
    if (peek() != '[') return false;
    const auto end = text_.find(']', at_);
    if (end == std::string_view::npos) return false;
    const auto inside = text_.substr(at_ + 1, end - at_ - 1);
    for (const char c : kStructural) {
      if (inside.find(c) != std::string_view::npos) return false;
    }
    at_ = end + 1;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::vector<std::pair<std::string_view, std::string_view>>> json_members(std::string_view text,
                                                                                std::size_t max_members) {
  std::vector<std::pair<std::string_view, std::string_view>> members;
  Scanner scanner(text);
  const auto not_json = [&](std::string_view expected) {
    return fail(ErrorCode::Corrupt, "not a JSON object at byte {}: {} expected", scanner.at(), expected);
  };
  if (!scanner.take('{')) return not_json("'{'");
  for (bool more = !scanner.take('}'); more;) {
    scanner.skip_blanks();
    const auto key_start = scanner.at();
    if (scanner.peek() != '"' || !scanner.skip_string()) return not_json("a key in quotes");
    const auto key = text.substr(key_start + 1, scanner.at() - key_start - 2);
    if (!scanner.take(':')) return not_json("':'");
    scanner.skip_blanks();
    const auto value_start = scanner.at();
    if (!scanner.skip_value()) return not_json("a whole value");
    if (std::ranges::any_of(members, [&](const auto& member) { return member.first == key; })) {
      return fail(ErrorCode::InvalidArgument, "'{}' comes twice in the JSON object", key);
    }
    if (members.size() == max_members) {
      return fail(ErrorCode::InvalidArgument, "more than {} members in the JSON object", max_members);
    }
    members.emplace_back(key, text.substr(value_start, scanner.at() - value_start));
    more = scanner.take(',');
    if (!more && !scanner.take('}')) return not_json("',' or '}'");
  }
  scanner.skip_blanks();
  if (!scanner.at_end()) return not_json("the end");
  return members;
}

Result<std::vector<std::string_view>> json_items(std::string_view text, std::size_t max_items) {
  std::vector<std::string_view> items;
  Scanner scanner(text);
  const auto not_json = [&](std::string_view expected) {
    return fail(ErrorCode::Corrupt, "not a JSON array at byte {}: {} expected", scanner.at(), expected);
  };
  if (!scanner.take('[')) return not_json("'['");
  for (bool more = !scanner.take(']'); more;) {
    scanner.skip_blanks();
    const auto start = scanner.at();
    if (!scanner.skip_value()) return not_json("a whole value");
    if (items.size() == max_items)
      return fail(ErrorCode::InvalidArgument, "more than {} items in the JSON array", max_items);
    items.push_back(text.substr(start, scanner.at() - start));
    more = scanner.take(',');
    if (!more && !scanner.take(']')) return not_json("',' or ']'");
  }
  scanner.skip_blanks();
  if (!scanner.at_end()) return not_json("the end");
  return items;
}

}  // namespace imago::serve
