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

/// Parses one JSON document. Corrupt, with the byte offset, when it is none; ResourceExhausted when it is nested deeper
/// than 64 or an object has more than 4096 members (they are searched one by one). Of equal keys the last counts.
Result<Value> parse(std::string_view text);

/// Parses a file of at most 64 MiB; the error names the file. Safe from any thread, as all here.
Result<Value> read(const std::filesystem::path& path);

/// Compact, or indented by two spaces. Text that is not UTF-8 is written with replacement characters.
std::string dump(const Value& value);
std::string dump_pretty(const Value& value);

/// The member `key` of an object as T: bool, int, std::int64_t, std::uint64_t, float, double, std::string, Value, or a
/// std::vector of one of those. InvalidArgument naming the key and what was found when it is absent or of another type,
/// or when the number does not fit T. An integer is a double too, never the other way round.
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

/// A flat row of numbers and the length at each depth of the array they came from.
struct NumberArray {
  std::vector<float> numbers;
  std::vector<std::size_t> shape;
};

/// Reads `text`, a JSON array (nested to any depth up to 8) of numbers: the hot path of JSON images, about
/// 10 us for 3072 pixels 0..255 and 17 us for as many decimals of six digits, twice that with signs, exponents or
/// nested (simdjson). Corrupt when it is not JSON;
/// InvalidArgument when it is no array, ragged, or a leaf is not a number that a float holds; ResourceExhausted when
/// there are more than `max_numbers`.
Result<NumberArray> parse_numbers(std::string_view text, std::size_t max_numbers);

}  // namespace imago::json
