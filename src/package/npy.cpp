// SPDX-License-Identifier: Apache-2.0
#include "package/npy.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "base/files.hpp"

namespace imago::package {
namespace {

static_assert(std::endian::native == std::endian::little, "'<f4' is written as it lies in memory");

constexpr std::string_view kMagic{"\x93NUMPY\x01\x00", 8};
constexpr std::size_t kPrefix = 10;     // magic, version, u16 length of the header
constexpr std::size_t kAlignment = 64;  // of the data, as numpy does
constexpr std::size_t kMaxHeader = 1024;
constexpr std::size_t kMaxDimensions = 8;

/// numpy's header without spaces, up to the shape: its writer sorts the keys.
constexpr std::string_view kHead = "{'descr':'<f4','fortran_order':False,'shape':(";

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

Result<std::vector<std::int64_t>> read_header(std::string_view header) {
  std::string text(header);
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  const std::size_t close = text.find(')');
  if (!text.starts_with(kHead) || close == std::string::npos)
    return fail(ErrorCode::Corrupt, "not an array of float32 ('<f4') in C order");
  const auto tail = std::string_view(text).substr(close);
  if (tail != "),}" && tail != ")}") return fail(ErrorCode::Corrupt, "the .npy header does not end as it should");
  return read_shape(std::string_view(text).substr(kHead.size(), close - kHead.size()));
}

/// Elements of `shape`, when they are exactly `bytes` of float32.
Result<std::size_t> count_elements(const std::vector<std::int64_t>& shape, std::size_t bytes) {
  const std::size_t available = bytes / sizeof(float);
  std::size_t count = std::ranges::count(shape, 0) > 0 ? 0 : 1;
  for (const std::int64_t side : shape) {
    if (side > 0 && count > available / static_cast<std::size_t>(side))
      return fail(ErrorCode::Corrupt, "the shape needs more than the {} bytes there are", bytes);
    count *= static_cast<std::size_t>(side);
  }
  if (count * sizeof(float) != bytes)
    return fail(ErrorCode::Corrupt, "the shape needs {} bytes, there are {}", count * sizeof(float), bytes);
  return count;
}

}  // namespace

std::string encode_npy(const model::Tensor& tensor) {
  std::string sides;
  for (const auto side : tensor.shape) sides += fmt::format("{}{}", sides.empty() ? "" : ", ", side);
  if (tensor.shape.size() == 1) sides += ",";
  std::string header = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", sides);
  header.append(kAlignment - (kPrefix + header.size() + 1) % kAlignment, ' ');
  header += '\n';
  std::string out(kMagic);
  out += static_cast<char>(header.size() & 0xFFU);
  out += static_cast<char>(header.size() >> 8U);
  out += header;
  out.append(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size() * sizeof(float));
  return out;
}

Result<model::Tensor> decode_npy(Bytes bytes) {
  const std::string_view text = as_text(bytes);
  if (text.size() < kPrefix || !text.starts_with(kMagic))
    return fail(ErrorCode::Corrupt, "not a .npy file of version 1.0");
  const std::size_t length = std::to_integer<std::size_t>(bytes[8]) + (std::to_integer<std::size_t>(bytes[9]) << 8U);
  if (length > kMaxHeader || length > bytes.size() - kPrefix)
    return fail(ErrorCode::Corrupt, "the .npy header claims {} bytes", length);
  model::Tensor tensor;
  TRY(tensor.shape, read_header(text.substr(kPrefix, length)));
  const Bytes data = bytes.subspan(kPrefix + length);
  TRY(const auto count, count_elements(tensor.shape, data.size()));
  tensor.data.resize(count);
  if (count > 0) std::memcpy(tensor.data.data(), data.data(), data.size());
  return tensor;
}

}  // namespace imago::package
