// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>

#include "store/database.hpp"

namespace imago::store {
namespace {

/// The number that `text` starts with, 0 if none. SQLite may type a column by its first row, so that numbers after a
/// NULL come as text.
template <class T>
T number_from(const std::string& text) {
  T number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

const Value& at(const std::map<std::string, Value, std::less<>>& columns, std::string_view column) {
  const auto found = columns.find(column);
  EXPECTS(found != columns.end(), fmt::format("the query has no column '{}'", column));
  return found->second;
}

}  // namespace

bool Row::is_null(std::string_view column) const {
  return std::holds_alternative<std::monostate>(at(columns_, column));
}

std::int64_t Row::integer(std::string_view column) const {
  const Value& value = at(columns_, column);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  if (const auto* real = std::get_if<double>(&value)) return static_cast<std::int64_t>(*real);
  if (const auto* text = std::get_if<std::string>(&value)) return number_from<std::int64_t>(*text);
  return 0;
}

double Row::real(std::string_view column) const {
  const Value& value = at(columns_, column);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* text = std::get_if<std::string>(&value)) return number_from<double>(*text);
  return 0.0;
}

std::string Row::text(std::string_view column) const {
  const Value& value = at(columns_, column);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *integer);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
  return {};
}

}  // namespace imago::store
