// SPDX-License-Identifier: Apache-2.0
// What stands in the query or the body of a request.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "http/server.hpp"
#include "json/json.hpp"

namespace imago::serve {

/// The whole number `name` of the query; `otherwise` when it is absent. InvalidArgument, naming it, when it is
/// no number or not from `least` to `most`.
Result<int> number_in_query(const http::Request& request, std::string_view name, int otherwise, int least, int most);

/// The part of a list that is asked for: `limit` and `offset` of the query.
struct Page {
  int limit = 0;
  int offset = 0;
};
/// As number_in_query; `otherwise` and `most` are for the limit.
Result<Page> page_in(const http::Request& request, int otherwise, int most);

/// For rows that begin at the page's offset, as a query with a limit of page.limit + 1 gives them: leaves those of the
/// page. Where the next page begins; null when this is the last.
template <class T>
json::Value end_page(std::vector<T>& rows, const Page& page) {
  const auto limit = static_cast<std::size_t>(page.limit);
  if (rows.size() <= limit) return nullptr;
  rows.erase(rows.begin() + page.limit, rows.end());
  return std::int64_t{page.offset} + page.limit;
}

/// The same for a whole list.
template <class T>
json::Value take_page(std::vector<T>& rows, const Page& page) {
  const auto before = std::min(rows.size(), static_cast<std::size_t>(page.offset));
  rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(before));
  return end_page(rows, page);
}

/// The version of a model that a path names. InvalidArgument when it is no number from 1.
Result<int> version_number(std::string_view text);

/// The body as a JSON object; an empty one is {}. InvalidArgument or Corrupt when it is none.
Result<json::Value> json_body(const http::Request& request);

}  // namespace imago::serve
