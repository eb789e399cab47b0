// SPDX-License-Identifier: Apache-2.0
#include "fuzz/requests/answer.hpp"

#include <algorithm>
#include <charconv>

namespace imago::fuzz {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kMostBody = 64U << 20;

std::optional<std::size_t> number_in(std::string_view text, int base = 10) {
  std::size_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || value > kMostBody) return std::nullopt;
  return value;
}

std::string lower(std::string_view text) {
  std::string copy(text);
  std::ranges::transform(copy, copy.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return copy;
}

Result<Answer> parse_head(std::string_view head) {
  Answer answer;
  auto line = head.substr(0, head.find(kLineEnd));
  const auto status = line.size() > 12 ? number_in(line.substr(9, 3)) : std::nullopt;
  if (!line.starts_with("HTTP/1.") || !status)
    return fail(ErrorCode::Corrupt, "the answer begins with '{}'", line.substr(0, 100));
  answer.status = static_cast<int>(*status);
  while (line.size() < head.size()) {
    head.remove_prefix(line.size() + kLineEnd.size());
    line = head.substr(0, head.find(kLineEnd));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return fail(ErrorCode::Corrupt, "a header line is '{}'", line.substr(0, 100));
    const auto value = line.find_first_not_of(' ', colon + 1);
    answer.headers[lower(line.substr(0, colon))] = value == std::string_view::npos ? "" : line.substr(value);
  }
  return answer;
}

}  // namespace

std::string_view Answer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

Result<std::optional<Answer>> AnswerReader::next(std::string_view method) {
  for (;;) {
    const auto end = buffer_.find(kHeadEnd);
    if (end == std::string::npos) return std::optional<Answer>();
    TRY(auto answer, parse_head(std::string_view(buffer_).substr(0, end)));
    const auto head_bytes = end + kHeadEnd.size();
    if (answer.status < 200) {  // 100 Continue
      buffer_.erase(0, head_bytes);
      continue;
    }
    answer.is_stream = answer.header("content-type").starts_with("text/event-stream");
    const bool has_body = method != "HEAD" && answer.status != 204 && answer.status != 304 && !answer.is_stream;
    if (!has_body) {
      buffer_.erase(0, head_bytes);
      return std::optional(std::move(answer));
    }
    TRY(const bool whole, read_body(answer, head_bytes));
    if (!whole) return std::optional<Answer>();
    return std::optional(std::move(answer));
  }
}

/// Takes head and body off the buffer; false while bytes of the body are missing.
Result<bool> AnswerReader::read_body(Answer& answer, std::size_t head_bytes) {
  if (answer.header("transfer-encoding") == "chunked") return read_chunks(answer, head_bytes);
  const auto length = number_in(answer.header("content-length"));
  if (!length)
    return fail(ErrorCode::Corrupt, "an answer of status {} has a Content-Length of '{}'", answer.status,
                answer.header("content-length"));
  if (buffer_.size() < head_bytes + *length) return false;
  answer.body = buffer_.substr(head_bytes, *length);
  buffer_.erase(0, head_bytes + *length);
  return true;
}

Result<bool> AnswerReader::read_chunks(Answer& answer, std::size_t from) {
  std::string body;
  for (;;) {
    const auto line_end = buffer_.find(kLineEnd, from);
    if (line_end == std::string::npos) return false;
    const auto size = number_in(std::string_view(buffer_).substr(from, line_end - from), 16);
    if (!size) return fail(ErrorCode::Corrupt, "a chunk's size is '{}'", buffer_.substr(from, 20));
    from = line_end + kLineEnd.size();
    if (buffer_.size() < from + *size + kLineEnd.size()) return false;
    body.append(buffer_, from, *size);
    from += *size + kLineEnd.size();
    if (*size > 0) continue;
    buffer_.erase(0, from);
    answer.body = std::move(body);
    return true;
  }
}

}  // namespace imago::fuzz
