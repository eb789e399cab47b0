// SPDX-License-Identifier: Apache-2.0
#include "base/npy.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>

#include "base/files.hpp"

namespace imago {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are read and written as they lie in memory");

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr std::size_t kAlignment = 64;  // of the data, as numpy does
constexpr std::size_t kMaxHeader = 1024;
constexpr std::size_t kMaxDimensions = 8;

/// Moves past `expected` at the front of `text`.
bool skip(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

/// Bytes of one element of a type such as "<f4", "|u1" or "<U10" (of four bytes a letter); nothing for another type.
std::optional<std::size_t> size_of(std::string_view type) {
  if (type.size() < 3 || std::string_view("<|").find(type[0]) == std::string_view::npos ||
      std::string_view("biufSU").find(type[1]) == std::string_view::npos)
    return std::nullopt;
  std::uint32_t size = 0;
  const char* end = type.data() + type.size();
  if (const auto [next, error] = std::from_chars(type.data() + 2, end, size); error != std::errc() || next != end)
    return std::nullopt;
  const bool is_text = type[1] == 'S' || type[1] == 'U';
  if (!is_text && size != 1 && size != 2 && size != 4 && size != 8) return std::nullopt;
  if (!is_text && size > 1 && type[0] != '<') return std::nullopt;
  return type[1] == 'U' ? std::size_t{4} * size : size;
}

/// The numbers between the parentheses: "", "8,", or "8,3,32,32".
Result<std::vector<std::int64_t>> read_shape(std::string_view text) {
  std::vector<std::int64_t> shape;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::int64_t side = 0;
    const auto [next, error] = std::from_chars(at, end, side);
    const bool separated = next != end && *next == ',';
    if (error != std::errc() || side < 0 || (!separated && (next != end || shape.empty())) ||
        shape.size() == kMaxDimensions)
      return fail(ErrorCode::Corrupt, "'({})' is no shape", text);
    shape.push_back(side);
    at = separated ? next + 1 : next;
  }
  return shape;
}

/// numpy's header is a Python dictionary; its writer sorts the keys.
Result<NpyArray> read_header(std::string_view header) {
  std::string packed(header);
  std::erase_if(packed, [](char c) { return c == ' ' || c == '\n'; });
  std::string_view text = packed;
  const auto broken = [] { return fail(ErrorCode::Corrupt, "the .npy header is not one that numpy writes"); };
  if (!skip(text, "{'descr':")) return broken();
  if (text.starts_with('[')) return fail(ErrorCode::Unsupported, "an array of records: save plain numbers or text");
  if (!skip(text, "'")) return broken();
  NpyArray array;
  array.type = text.substr(0, text.find('\''));
  text.remove_prefix(array.type.size());
  if (!skip(text, "','fortran_order':")) return broken();
  array.fortran_order = skip(text, "True");
  if (!array.fortran_order && !skip(text, "False")) return broken();
  if (!skip(text, ",'shape':(")) return broken();
  const auto close = text.find(')');
  if (close == std::string_view::npos) return broken();
  TRY(array.shape, read_shape(text.substr(0, close)));
  text.remove_prefix(close);
  if (text != "),}" && text != ")}") return broken();
  if (!size_of(array.type))
    return fail(ErrorCode::Unsupported, "elements of type '{}'{}", array.type,
                array.type == "|O" ? ", Python objects: save them as numbers or text" : " are not read");
  return array;
}

/// Corrupt unless `shape` needs exactly `bytes`.
Result<void> check_size(const NpyArray& array, std::size_t bytes) {
  const std::size_t element = array.element_bytes();
  const std::size_t available = element == 0 ? 0 : bytes / element;
  std::size_t count = std::ranges::count(array.shape, 0) > 0 ? 0 : 1;
  for (const std::int64_t side : array.shape) {
    if (side > 0 && count > available / static_cast<std::size_t>(side))
      return fail(ErrorCode::Corrupt, "the shape needs more than the {} bytes there are", bytes);
    count *= static_cast<std::size_t>(side);
  }
  if (count * element != bytes)
    return fail(ErrorCode::Corrupt, "the shape needs {} bytes, there are {}", count * element, bytes);
  return {};
}

}  // namespace

std::size_t NpyArray::count() const {
  std::size_t product = 1;
  for (const auto side : shape) product *= static_cast<std::size_t>(side);
  return product;
}

std::size_t NpyArray::element_bytes() const { return size_of(type).value_or(0); }

bool looks_like_npy(std::string_view bytes) { return bytes.starts_with(kMagic); }

std::string npy_header(std::string_view type, const std::vector<std::int64_t>& shape) {
  EXPECTS(size_of(type) && shape.size() <= kMaxDimensions, "a header that can be read back");
  std::string sides;
  for (const auto side : shape) sides += fmt::format("{}{}", sides.empty() ? "" : ", ", side);
  if (shape.size() == 1) sides += ",";
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type, sides);
  std::string header(kMagic);
  header += std::string_view("\x01\x00", 2);
  const std::size_t unpadded = header.size() + 2 + text.size() + 1;
  text.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  text += '\n';
  header += static_cast<char>(text.size() & 0xFFU);
  header += static_cast<char>(text.size() >> 8U);
  return header + text;
}

Result<NpyArray> read_npy(Bytes bytes) {
  const std::string_view text = as_text(bytes);
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t version = text.size() > 8 ? at(6) : 0;
  const std::size_t prefix = version == 1 ? 10 : 12;  // magic, version, length of the header in two or four bytes
  if (!text.starts_with(kMagic) || version < 1 || version > 3 || text.size() < prefix || at(7) != 0)
    return fail(ErrorCode::Corrupt, "not a .npy file");
  std::size_t length = 0;
  for (std::size_t i = prefix; i-- > 8;) length = length << 8U | at(i);
  if (length > kMaxHeader || length > bytes.size() - prefix)
    return fail(ErrorCode::Corrupt, "the .npy header claims {} bytes", length);
  TRY(auto array, read_header(text.substr(prefix, length)));
  array.data = bytes.subspan(prefix + length);
  TRY_VOID(check_size(array, array.data.size()));
  return array;
}

}  // namespace imago
