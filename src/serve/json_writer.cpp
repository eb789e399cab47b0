// SPDX-License-Identifier: Apache-2.0
#include "serve/json_writer.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "json/json.hpp"

namespace imago::serve {
namespace {

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 127 && c != '"' && c != '\\'; });
}

template <class Number>
void append_number(std::string& out, Number number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  if (is_plain(text)) {
    out += '"';
    out += text;
    out += '"';
  } else {
    out += json::dump(json::Value(text));
  }
}

void append_json_number(std::string& out, double number) { append_number(out, number); }
void append_json_number(std::string& out, float number) { append_number(out, number); }

std::string& JsonWriter::key(std::string_view name) {
  if (!first_) out_ += ',';
  first_ = false;
  append_json_string(out_, name);
  out_ += ':';
  return out_;
}

}  // namespace imago::serve
