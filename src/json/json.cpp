// SPDX-License-Identifier: Apache-2.0
#include "json/json.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "base/files.hpp"

namespace imago::json {
namespace {

constexpr int kMaxDepth = 64;
constexpr int kMaxMembers = 4096;
constexpr std::uint64_t kMaxFileBytes = std::uint64_t{64} << 20;

/// Thrown through nlohmann's parser, which has no other way to be stopped from a callback.
struct LimitReached {
  std::string what;
};

/// Stops documents that would cost more than their size suggests: deep ones recurse when dumped, and an object with
/// many members is searched one by one for each.
class Limits {
 public:
  bool operator()(int depth, nlohmann::detail::parse_event_t event, const Value&) {
    using Event = nlohmann::detail::parse_event_t;
    const auto level = static_cast<std::size_t>(depth);
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= kMaxDepth) throw LimitReached{fmt::format("nested deeper than {}", kMaxDepth)};
      members_[level + 1] = 0;
    } else if (event == Event::key && ++members_[level] > kMaxMembers) {
      throw LimitReached{fmt::format("an object with more than {} members", kMaxMembers)};
    }
    return true;
  }

 private:
  std::array<int, kMaxDepth + 2> members_{};
};

/// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..." without the class name.
std::string_view plain(std::string_view what) {
  const auto end = what.find("] ");
  return end == std::string_view::npos ? what : what.substr(end + 2);
}

/// A value as an error shows it: short.
std::string shown(const Value& value) {
  constexpr std::size_t kMost = 40;
  if (value.is_array()) return fmt::format("an array of {}", value.size());
  if (value.is_object()) return fmt::format("an object of {}", value.size());
  std::string text = dump(value);
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  return text;
}

template <class T>
struct VectorOf : std::false_type {};
template <class T>
struct VectorOf<std::vector<T>> : std::true_type {
  using Item = T;
};

template <class T>
constexpr std::string_view type_name() {
  if constexpr (std::is_same_v<T, bool>) return "true or false";
  if constexpr (std::is_same_v<T, std::string>) return "a string";
  if constexpr (std::is_same_v<T, int>) return "a whole number of 32 bits";
  if constexpr (std::is_same_v<T, std::uint64_t>) return "a whole number of 0 or more";
  if constexpr (std::is_integral_v<T>) return "a whole number of 64 bits";
  return "a number";
}

template <class T>
bool integer_fits(const Value& value) {
  if (!value.is_number_integer()) return false;
  if (value.is_number_unsigned())
    return value.template get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<T>::max());
  const auto number = value.template get<std::int64_t>();
  if constexpr (std::is_unsigned_v<T>) {
    return number >= 0;
  } else {
    return number >= std::numeric_limits<T>::min() && number <= std::numeric_limits<T>::max();
  }
}

template <class T>
bool holds(const Value& value) {
  if constexpr (std::is_same_v<T, Value>) return true;
  if constexpr (std::is_same_v<T, bool>) return value.is_boolean();
  if constexpr (std::is_same_v<T, std::string>) return value.is_string();
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) return integer_fits<T>(value);
  if constexpr (std::is_floating_point_v<T>)
    return value.is_number() &&
           std::abs(value.template get<double>()) <= static_cast<double>(std::numeric_limits<T>::max());
  return false;
}

template <class T>
Result<T> convert(const Value& value, std::string_view name) {
  if constexpr (VectorOf<T>::value) {
    using Item = typename VectorOf<T>::Item;
    if (!value.is_array()) return fail(ErrorCode::InvalidArgument, "'{}' is {}, not an array", name, shown(value));
    T items;
    items.reserve(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
      TRY(auto item, convert<Item>(value[i], fmt::format("{}[{}]", name, i)));
      items.push_back(std::move(item));
    }
    return items;
  } else {
    if (!holds<T>(value))
      return fail(ErrorCode::InvalidArgument, "'{}' is {}, not {}", name, shown(value), type_name<T>());
    if constexpr (std::is_same_v<T, Value>) {
      return value;
    } else {
      return value.template get<T>();
    }
  }
}

}  // namespace

Result<Value> parse(std::string_view text) {
  try {
    return Value::parse(text, Limits());
  } catch (const nlohmann::json::parse_error& error) {
    return fail(ErrorCode::Corrupt, "not JSON at byte {}: {}", error.byte, plain(error.what()));
  } catch (const nlohmann::json::exception& error) {  // 1e999 is out of a double's range
    return fail(ErrorCode::Corrupt, "not JSON: {}", plain(error.what()));
  } catch (const LimitReached& limit) {
    return fail(ErrorCode::ResourceExhausted, "JSON is {}", limit.what);
  }
}

Result<Value> read(const std::filesystem::path& path) {
  TRY(const auto text, read_file(path, kMaxFileBytes));
  auto value = parse(text);
  if (!value) return pass(value, fmt::format("reading {}", path.string()));
  return value;
}

std::string dump(const Value& value) { return value.dump(-1, ' ', false, Value::error_handler_t::replace); }
std::string dump_pretty(const Value& value) { return value.dump(2, ' ', false, Value::error_handler_t::replace); }

template <class T>
Result<T> get(const Value& object, std::string_view key) {
  if (!object.is_object())
    return fail(ErrorCode::InvalidArgument, "'{}' is wanted from an object, but this is {}", key, shown(object));
  const auto found = object.find(key);
  if (found == object.end()) return fail(ErrorCode::InvalidArgument, "'{}' is missing", key);
  return convert<T>(*found, key);
}

// NOLINTBEGIN(bugprone-macro-parentheses): T is a type, which parentheses would break
#define IMAGO_JSON_GET(T)                                               \
  template Result<T> get<T>(const Value& object, std::string_view key); \
  template Result<std::vector<T>> get<std::vector<T>>(const Value& object, std::string_view key)
IMAGO_JSON_GET(bool);
IMAGO_JSON_GET(int);
IMAGO_JSON_GET(std::int64_t);
IMAGO_JSON_GET(std::uint64_t);
IMAGO_JSON_GET(float);
IMAGO_JSON_GET(double);
IMAGO_JSON_GET(std::string);
IMAGO_JSON_GET(Value);
#undef IMAGO_JSON_GET
// NOLINTEND(bugprone-macro-parentheses)

}  // namespace imago::json
