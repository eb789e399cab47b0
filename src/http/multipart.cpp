// SPDX-License-Identifier: Apache-2.0
// A strict reader: CRLF line ends only, as RFC 2046 has them, and everything bounded.
#include "http/multipart.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "http/trim.hpp"

namespace imago::http {
namespace {

constexpr std::size_t kMaxPartHeaderBytes = 8192;

bool equal_caseless(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// Reads a quoted string at `at` (the opening quote) and moves past it. Browsers write a quote in a filename as %22 and
// a backslash as itself, curl writes \" and \\: so only those two are taken for escapes, and C:\temp\x.png survives.
std::string read_quoted(std::string_view text, std::size_t& at) {
  std::string value;
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == '"' || text[at + 1] == '\\')) ++at;
    value += text[at];
  }
  if (at < text.size()) ++at;
  return value;
}

std::string percent_decode(std::string_view text) {
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      value += static_cast<char>(byte);
      i += 2;
    } else {
      value += text[i];
    }
  }
  return value;
}

// filename*=UTF-8''na%C3%AFve.png (RFC 8187). RFC 7578 forbids it in forms, some clients send it all the same.
std::optional<std::string> extended_filename(std::string_view disposition) {
  std::string value;
  if (!header_parameter(disposition, "filename*", &value)) return std::nullopt;
  const auto language = value.find('\'');
  const auto text = language == std::string::npos ? std::string::npos : value.find('\'', language + 1);
  if (text == std::string::npos || !equal_caseless(std::string_view(value).substr(0, language), "utf-8")) {
    return std::nullopt;
  }
  return percent_decode(std::string_view(value).substr(text + 1));
}

Result<Part> read_headers(std::string_view headers, std::size_t index) {
  Part part;
  bool named = false;
  while (!headers.empty()) {
    const auto end = headers.find("\r\n");
    const auto line = headers.substr(0, end);
    headers.remove_prefix(end == std::string_view::npos ? headers.size() : end + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
      return fail(ErrorCode::InvalidArgument, "multipart part {}: a header line without ':'", index);
    }
    const auto value = trim(line.substr(colon + 1));
    if (equal_caseless(line.substr(0, colon), "content-type")) part.content_type = value;
    if (!equal_caseless(line.substr(0, colon), "content-disposition")) continue;
    named = header_parameter(value, "name", &part.name);
    part.is_file = header_parameter(value, "filename", &part.filename);
    if (auto extended = extended_filename(value)) {
      part.filename = std::move(*extended);
      part.is_file = true;
    }
  }
  if (!named) return fail(ErrorCode::InvalidArgument, "multipart part {}: no name in its Content-Disposition", index);
  return part;
}

Result<std::string> boundary_of(std::string_view content_type) {
  std::string boundary;
  if (!header_parameter(content_type, "boundary", &boundary) || boundary.empty()) {
    return fail(ErrorCode::InvalidArgument, "the multipart Content-Type names no boundary");
  }
  const bool printable = std::ranges::all_of(boundary, [](unsigned char c) { return c >= ' ' && c < 127; });
  if (boundary.size() > 70 || !printable) {
    return fail(ErrorCode::InvalidArgument, "the multipart boundary is not 1 to 70 printable characters");
  }
  return boundary;
}

}  // namespace

bool header_parameter(std::string_view header, std::string_view parameter, std::string* value) {
  std::size_t at = header.find(';');
  while (at < header.size()) {
    at = header.find_first_not_of("; \t", at);
    if (at == std::string_view::npos) return false;
    const auto stop = std::min(header.find_first_of("=;", at), header.size());
    const auto key = trim(header.substr(at, stop - at));
    std::string text;
    at = stop;
    if (at < header.size() && header[at] == '=') {
      at = std::min(header.find_first_not_of(" \t", at + 1), header.size());
      if (at < header.size() && header[at] == '"') {
        text = read_quoted(header, at);
      } else {
        const auto end = std::min(header.find(';', at), header.size());
        text = trim(header.substr(at, end - at));
        at = end;
      }
    }
    if (equal_caseless(key, parameter)) {
      *value = std::move(text);
      return true;
    }
    at = std::min(header.find(';', at), header.size());
  }
  return false;
}

Result<std::vector<Part>> parse_multipart(std::string_view content_type, std::string_view body, std::size_t max_parts) {
  TRY(const std::string boundary, boundary_of(content_type));
  const std::string delimiter = "\r\n--" + boundary;
  const auto cut = [&](std::size_t parts) {
    return fail(ErrorCode::InvalidArgument, "the multipart body ends after {} bytes within part {}", body.size(),
                parts);
  };

  std::size_t at = 0;  // just past a delimiter
  if (body.starts_with(std::string_view(delimiter).substr(2))) {
    at = delimiter.size() - 2;
  } else {
    const auto first = body.find(delimiter);  // after a preamble
    if (first == std::string_view::npos) {
      return fail(ErrorCode::InvalidArgument, "the multipart boundary '{}' is not in the body", boundary);
    }
    at = first + delimiter.size();
  }

  std::vector<Part> parts;
  while (true) {
    const auto rest = body.substr(at);
    if (rest.starts_with("--")) return parts;
    const auto line_end = rest.find_first_not_of(" \t");
    if (line_end == std::string_view::npos || rest.size() < line_end + 2) return cut(parts.size());
    if (rest.substr(line_end, 2) != "\r\n") {
      return fail(ErrorCode::InvalidArgument, "multipart part {}: its boundary line does not end in CRLF",
                  parts.size());
    }
    if (parts.size() == max_parts) return fail(ErrorCode::ResourceExhausted, "more than {} multipart parts", max_parts);

    // The empty line may follow the boundary line at once: then there are no headers, and so no name.
    const auto window = rest.substr(line_end, kMaxPartHeaderBytes);
    const auto headers_end = window.find("\r\n\r\n");
    if (headers_end == std::string_view::npos) {
      if (window.size() < kMaxPartHeaderBytes) return cut(parts.size());
      return fail(ErrorCode::InvalidArgument, "multipart part {}: its header is over {} bytes", parts.size(),
                  kMaxPartHeaderBytes);
    }
    TRY(Part part, read_headers(window.substr(2, std::max<std::size_t>(headers_end, 2) - 2), parts.size()));

    // From the last CRLF of the empty line on, so that an empty part's delimiter is found as well.
    const auto data = rest.substr(line_end + headers_end + 4);
    const auto searched = rest.substr(line_end + headers_end + 2);
    const auto end = searched.find(delimiter);
    if (end == std::string_view::npos) return cut(parts.size());
    if (end != 0) part.data = data.substr(0, end - 2);
    at = static_cast<std::size_t>(searched.data() - body.data()) + end + delimiter.size();
    parts.push_back(std::move(part));
  }
}

}  // namespace imago::http
