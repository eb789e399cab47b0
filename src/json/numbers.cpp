// SPDX-License-Identifier: Apache-2.0
// Rows of numbers by simdjson. Its DOM and not its faster On-Demand interface: DOM looks at every byte, On-Demand lets
// some documents pass that are not JSON, and chooses its instruction set when compiled, not when run.
#include <simdjson.h>

#include <cmath>
#include <limits>

#include "json/json.hpp"

namespace imago::json {
namespace {

constexpr std::size_t kMaxDepth = 8;
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

bool is_number(element_type type) {
  return type == element_type::DOUBLE || type == element_type::INT64 || type == element_type::UINT64;
}

double number_of(element leaf) {
  switch (leaf.type()) {
    case element_type::DOUBLE: return leaf.get_double().value_unsafe();
    case element_type::INT64: return static_cast<double>(leaf.get_int64().value_unsafe());
    default: return static_cast<double>(leaf.get_uint64().value_unsafe());
  }
}

/// Walks an array of arrays; the first path down sets the shape that all others must have.
class Flattener {
 public:
  explicit Flattener(std::size_t max_numbers) : max_numbers_(max_numbers) {}

  Result<void> add(array items, std::size_t depth) {
    if (depth >= kMaxDepth) return fail(ErrorCode::InvalidArgument, "an array nested deeper than {}", kMaxDepth);
    const bool first = depth == out_.shape.size();
    if (first) {
      if (leaf_depth_ != kNone) return ragged(depth);
      out_.shape.push_back(0);
    }
    std::size_t count = 0;
    for (const element item : items) {
      TRY_VOID(item.type() == element_type::ARRAY ? add_row(item, depth) : add_leaf(item, depth));
      ++count;
    }
    if (first) {
      out_.shape[depth] = count;
      if (leaf_depth_ == kNone) leaf_depth_ = depth;  // empty: nothing may lie deeper
    } else if (out_.shape[depth] != count) {
      return fail(ErrorCode::InvalidArgument, "ragged array: {} and {} items at depth {}", out_.shape[depth], count,
                  depth);
    }
    return {};
  }

  NumberArray take() { return std::move(out_); }

 private:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  static tl::unexpected<Error> ragged(std::size_t depth) {
    return fail(ErrorCode::InvalidArgument, "ragged array: numbers and arrays side by side at depth {}", depth);
  }

  Result<void> add_row(element item, std::size_t depth) {
    if (leaf_depth_ != kNone && depth >= leaf_depth_) return ragged(depth);
    return add(item.get_array().value_unsafe(), depth + 1);
  }

  Result<void> add_leaf(element item, std::size_t depth) {
    if (!is_number(item.type()))
      return fail(ErrorCode::InvalidArgument, "item {} of the array is {}, not a number", out_.numbers.size(),
                  type_name(item.type()));
    if (leaf_depth_ == kNone && depth + 1 == out_.shape.size()) leaf_depth_ = depth;
    if (depth != leaf_depth_) return ragged(depth);
    const double number = number_of(item);
    if (std::abs(number) > static_cast<double>(std::numeric_limits<float>::max()))
      return fail(ErrorCode::InvalidArgument, "item {} of the array is {}: too large", out_.numbers.size(), number);
    if (out_.numbers.size() == max_numbers_)
      return fail(ErrorCode::ResourceExhausted, "an array of more than {} numbers", max_numbers_);
    out_.numbers.push_back(static_cast<float>(number));
    return {};
  }

  const std::size_t max_numbers_;
  std::size_t leaf_depth_ = kNone;
  NumberArray out_;
};

std::string joined(std::span<const std::string_view> keys) {
  std::string text;
  for (const auto key : keys) text += fmt::format("{}'{}'", text.empty() ? "" : ", ", key);
  return text;
}

Result<array> find_array(element root, std::span<const std::string_view> keys) {
  element found = root;
  if (!keys.empty() && root.type() == element_type::OBJECT) {
    const auto object = root.get_object().value_unsafe();
    const auto has = [&](std::string_view key) { return object.at_key(key).get(found) == simdjson::SUCCESS; };
    if (std::none_of(keys.begin(), keys.end(), has))
      return fail(ErrorCode::NotFound, "the object has no {}", joined(keys));
  }
  if (found.type() != element_type::ARRAY)
    return fail(ErrorCode::InvalidArgument, "{} where an array of numbers is wanted", type_name(found.type()));
  return found.get_array().value_unsafe();
}

Result<NumberArray> parse_with(simdjson::dom::parser& parser, std::string_view text, std::size_t max_numbers,
                               std::span<const std::string_view> keys) {
  element root;
  if (const auto error = parser.parse(text.data(), text.size()).get(root); error != simdjson::SUCCESS)
    return fail(ErrorCode::Corrupt, "not JSON: {}", simdjson::error_message(error));
  TRY(const auto items, find_array(root, keys));
  Flattener flattener(max_numbers);
  TRY_VOID(flattener.add(items, 0));
  return flattener.take();
}

}  // namespace

Result<NumberArray> parse_numbers(std::string_view text, std::size_t max_numbers,
                                  std::span<const std::string_view> keys) {
  if (text.size() > kKeptBytes) {
    simdjson::dom::parser once;
    return parse_with(once, text, max_numbers, keys);
  }
  thread_local simdjson::dom::parser kept;
  return parse_with(kept, text, max_numbers, keys);
}

Result<NumberArray> parse_numbers(std::string_view text, std::size_t max_numbers) {
  return parse_numbers(text, max_numbers, {});
}

}  // namespace imago::json
