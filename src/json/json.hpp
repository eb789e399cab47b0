// SPDX-License-Identifier: Apache-2.0
// JSON values (nlohmann-json, keys in the order they were written) and checked ways into them.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace imago::json {

using Value = nlohmann::ordered_json;

/// Parses one JSON document. Corrupt, with the byte offset, when it is none, or nested deeper than 64.
Result<Value> parse(std::string_view text);

/// Parses a file of at most 64 MiB; the error names the file.
Result<Value> read(const std::filesystem::path& path);

/// Compact, or indented by two spaces. Text that is not UTF-8 is written with replacement characters.
std::string dump(const Value& value);
std::string dump_pretty(const Value& value);

/// The member `key` of an object as T (bool, integers, double, std::string, std::vector of those, Value).
/// InvalidArgument naming the key and what was found when it is absent or of another type; integers out of T's range too.
template <class T>
Result<T> get(const Value& object, std::string_view key);

/// As get, but `otherwise` when the key is absent or null. A value of a wrong type is still an error.
template <class T>
Result<T> get_or(const Value& object, std::string_view key, T otherwise) {
  if (object.is_object()) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return otherwise;
  }
  return get<T>(object, key);
}

/// Reads `text`, a JSON array (nested to any depth up to 8) of numbers, as one flat row: the hot path of JSON images, on
/// simdjson. `shape` receives the length at each depth. Corrupt when it is not JSON; InvalidArgument when ragged, when
/// a leaf is not a finite number, or when there are more than `max_numbers`.
struct NumberArray {
  std::vector<float> numbers;
  std::vector<std::size_t> shape;
};
Result<NumberArray> parse_numbers(std::string_view text, std::size_t max_numbers);

}  // namespace imago::json
