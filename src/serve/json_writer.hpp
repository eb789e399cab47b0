// SPDX-License-Identifier: Apache-2.0
// JSON text without a tree in between, for answers given thousands of times a second.
#pragma once

#include <string>
#include <string_view>

namespace imago::serve {

/// Appends `text` as a JSON string; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);
/// Appends the shortest digits that read back as the same number; null for what JSON cannot say (infinities, NaN).
void append_json_number(std::string& out, double number);
void append_json_number(std::string& out, float number);

/// Writes one flat object onto the end of `out`.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin() { out_ += '{'; }
  void end() { out_ += '}'; }
  /// Writes the key; the caller appends the value.
  std::string& key(std::string_view name);
  void field(std::string_view name, std::string_view text) { append_json_string(key(name), text); }
  void field(std::string_view name, const char* text) { field(name, std::string_view(text)); }
  void field(std::string_view name, bool value) { key(name) += value ? "true" : "false"; }
  void field(std::string_view name, int number) { key(name) += std::to_string(number); }
  void field(std::string_view name, double number) { append_json_number(key(name), number); }
  void field(std::string_view name, float number) { append_json_number(key(name), number); }
  /// `json` is a value already written.
  void raw(std::string_view name, std::string_view json) { key(name) += json; }

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace imago::serve
