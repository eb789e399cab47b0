// SPDX-License-Identifier: Apache-2.0
// Rows of numbers: plain ones read here, all others by simdjson. Its DOM and not its faster On-Demand interface: DOM
// looks at every byte, On-Demand lets some documents pass that are not JSON, and chooses its instruction set when
// compiled, not when run.
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "json/json.hpp"

namespace imago::json {
namespace {

constexpr std::size_t kMaxArrayDepth = 8;
/// A thread keeps its parser's memory for the next text unless the text was larger than this.
constexpr std::size_t kKeptBytes = std::size_t{4} << 20;

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::element_type;

std::string_view type_name(element_type type) {
  switch (type) {
    case element_type::ARRAY: return "an array";
    case element_type::OBJECT: return "an object";
    case element_type::STRING: return "a string";
    case element_type::BOOL: return "true or false";
    case element_type::NULL_VALUE: return "null";
    default: return "a number";
  }
}

/// False when `leaf` is no number.
bool number_of(element leaf, double& number) {
  switch (leaf.type()) {
    case element_type::DOUBLE: number = leaf.get_double().value_unsafe(); return true;
    case element_type::INT64: number = static_cast<double>(leaf.get_int64().value_unsafe()); return true;
    case element_type::UINT64: number = static_cast<double>(leaf.get_uint64().value_unsafe()); return true;
    default: return false;
  }
}

/// Walks an array of arrays; the first path down sets the shape that all others must have.
class Flattener {
 public:
  explicit Flattener(std::size_t max_numbers) : max_numbers_(max_numbers) {}

  Result<void> add(array items, std::size_t depth) {
    if (depth >= kMaxArrayDepth)
      return fail(ErrorCode::InvalidArgument, "an array nested deeper than {}", kMaxArrayDepth);
    const bool holds_rows = items.begin() != items.end() && (*items.begin()).type() == element_type::ARRAY;
    const bool first = depth == out_.shape.size();
    if (first) out_.shape.push_back(0);
    std::size_t count = 0;
    if (holds_rows) {
      TRY(count, add_rows(items, depth));
    } else {
      TRY(count, add_leaves(items, depth));
    }
    if (first) out_.shape[depth] = count;
    if (out_.shape[depth] != count)
      return fail(ErrorCode::InvalidArgument, "ragged array: {} and {} items at depth {}", out_.shape[depth], count,
                  depth);
    return {};
  }

  NumberArray take() { return std::move(out_); }

 private:
  static tl::unexpected<Error> mixed(std::size_t depth) {
    return fail(ErrorCode::InvalidArgument, "ragged array: numbers and arrays side by side at depth {}", depth);
  }
  [[nodiscard]] tl::unexpected<Error> no_number(element item) const {
    return fail(ErrorCode::InvalidArgument, "item {} of the array is {}, not a number", out_.numbers.size(),
                type_name(item.type()));
  }

  Result<std::size_t> add_rows(array rows, std::size_t depth) {
    std::size_t count = 0;
    for (const element row : rows) {
      if (double unused = 0.0; number_of(row, unused)) return mixed(depth);
      if (row.type() != element_type::ARRAY) return no_number(row);
      if (leaf_depth_ && depth >= *leaf_depth_) return mixed(depth);
      TRY_VOID(add(row.get_array().value_unsafe(), depth + 1));
      ++count;
    }
    return count;
  }

  Result<std::size_t> add_leaves(array leaves, std::size_t depth) {
    if (!leaf_depth_) leaf_depth_ = depth;
    if (*leaf_depth_ != depth) return mixed(depth);
    constexpr double kLargest = std::numeric_limits<float>::max();
    const std::size_t before = out_.numbers.size();
    if (before == 0) out_.numbers.reserve(std::min(leaves.size(), max_numbers_));
    for (const element leaf : leaves) {
      double number = 0.0;
      if (!number_of(leaf, number)) return leaf.type() == element_type::ARRAY ? mixed(depth) : no_number(leaf);
      if (std::abs(number) > kLargest)
        return fail(ErrorCode::InvalidArgument, "item {} of the array is {}: too large", out_.numbers.size(), number);
      if (out_.numbers.size() == max_numbers_)
        return fail(ErrorCode::ResourceExhausted, "an array of more than {} numbers", max_numbers_);
      out_.numbers.push_back(static_cast<float>(number));
    }
    return out_.numbers.size() - before;
  }

  const std::size_t max_numbers_;
  std::optional<std::size_t> leaf_depth_;
  NumberArray out_;
};

/// A flat array of plain decimals ("0.611765", "255"), which is what nearly all clients send, in half of the time.
/// Nothing at whatever is not as plain as that: simdjson then reads all of it, and says what is wrong.
class PlainReader {
 public:
  explicit PlainReader(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  std::optional<std::vector<float>> read(std::size_t max_numbers) {
    std::vector<float> numbers;
    numbers.reserve(std::min(static_cast<std::size_t>(end_ - at_) / 4, max_numbers));
    if (!take('[')) return std::nullopt;
    do {
      const auto number = read_number();
      if (!number || numbers.size() == max_numbers) return std::nullopt;
      numbers.push_back(*number);
    } while (take(','));
    if (!take(']') || at_ != end_) return std::nullopt;
    return numbers;
  }

 private:
  /// Powers of ten that a double holds exactly: so does it any number of so many digits, and their quotient is rounded
  /// once (Clinger, "How to Read Floating Point Numbers Accurately", 1990).
  static constexpr std::array<double, 16> kPowers{1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

  void skip_blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  /// Past `wanted` and the blanks on both sides of it.
  bool take(char wanted) {
    skip_blanks();
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    skip_blanks();
    return true;
  }

  /// Appends the digits that come to `value`; how many there were.
  std::size_t read_digits(std::uint64_t& value) {
    const char* first = at_;
    for (; at_ != end_ && *at_ >= '0' && *at_ <= '9'; ++at_)
      value = value * 10 + static_cast<std::uint64_t>(*at_ - '0');
    return static_cast<std::size_t>(at_ - first);
  }

  std::optional<float> read_number() {
    const char* first = at_;
    std::uint64_t digits = 0;
    const std::size_t whole = read_digits(digits);
    if (whole == 0 || (whole > 1 && *first == '0')) return std::nullopt;
    std::size_t decimals = 0;
    if (at_ != end_ && *at_ == '.') {
      ++at_;
      decimals = read_digits(digits);
      if (decimals == 0) return std::nullopt;
    }
    if (whole + decimals < kPowers.size()) return static_cast<float>(static_cast<double>(digits) / kPowers[decimals]);
    double number = 0.0;
    const bool fits = std::from_chars(first, at_, number).ec == std::errc();
    if (!fits || number > std::numeric_limits<float>::max()) return std::nullopt;
    return static_cast<float>(number);
  }

  const char* at_;
  const char* end_;
};

Result<NumberArray> parse_with(simdjson::dom::parser& parser, std::string_view text, std::size_t max_numbers) {
  element root;
  if (const auto error = parser.parse(text.data(), text.size()).get(root); error != simdjson::SUCCESS)
    return fail(ErrorCode::Corrupt, "not JSON: {}", simdjson::error_message(error));
  if (root.type() != element_type::ARRAY)
    return fail(ErrorCode::InvalidArgument, "{} where an array of numbers is wanted", type_name(root.type()));
  Flattener flattener(max_numbers);
  TRY_VOID(flattener.add(root.get_array().value_unsafe(), 0));
  return flattener.take();
}

}  // namespace

Result<NumberArray> parse_numbers(std::string_view text, std::size_t max_numbers) {
  if (auto plain = PlainReader(text).read(max_numbers)) {
    const std::size_t count = plain->size();
    return NumberArray{std::move(*plain), {count}};
  }
  if (text.size() > kKeptBytes) {
    simdjson::dom::parser once;
    return parse_with(once, text, max_numbers);
  }
  thread_local simdjson::dom::parser kept;
  return parse_with(kept, text, max_numbers);
}

}  // namespace imago::json
