// SPDX-License-Identifier: Apache-2.0
#include "serve/parameters.hpp"

#include <charconv>

namespace imago::serve {
namespace {

constexpr int kMostOffset = 1'000'000'000;

}  // namespace

Result<int> number_in_query(const http::Request& request, std::string_view name, int otherwise, int least, int most) {
  if (!request.query.contains(name)) return otherwise;
  const std::string_view text = request.parameter(name);
  int number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end || number < least || number > most)
    return fail(ErrorCode::InvalidArgument, "{}={}: expected {} to {}", name, text, least, most);
  return number;
}

Result<Page> page_in(const http::Request& request, int otherwise, int most) {
  Page page;
  TRY(page.limit, number_in_query(request, "limit", otherwise, 1, most));
  TRY(page.offset, number_in_query(request, "offset", 0, 0, kMostOffset));
  return page;
}

Result<int> version_number(std::string_view text) {
  int number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end || number < 1)
    return fail(ErrorCode::InvalidArgument, "'{}' is no version number", text.substr(0, 64));
  return number;
}

Result<json::Value> json_body(const http::Request& request) {
  if (request.body.empty()) return json::Value::object();
  TRY(auto value, json::parse(request.body));
  if (!value.is_object())
    return fail(ErrorCode::InvalidArgument, "the body is {}, not a JSON object", value.type_name());
  return value;
}

}  // namespace imago::serve
