// SPDX-License-Identifier: Apache-2.0
#include "serve/tensors.hpp"

#include <fmt/ranges.h>

#include <array>
#include <bit>
#include <cstring>

namespace imago::serve {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are little endian, and copied as they are");

constexpr std::size_t kLengthBytes = 4;  // before each element of a BYTES tensor
constexpr std::size_t kMostDimensions = 8;
constexpr std::int64_t kMostElements = std::int64_t{1} << 31;

}  // namespace

Result<std::size_t> element_count(const TensorShape& shape) {
  if (shape.empty() || shape.size() > kMostDimensions)
    return fail(ErrorCode::InvalidArgument, "a shape of {} dimensions, expected 1 to {}", shape.size(),
                kMostDimensions);
  std::int64_t count = 1;
  for (const auto side : shape) {
    if (side < 0) return fail(ErrorCode::InvalidArgument, "shape {} has a negative dimension", to_string(shape));
    if (side > kMostElements || (side > 0 && count > kMostElements / side))
      return fail(ErrorCode::InvalidArgument, "shape {} has more than {} elements", to_string(shape), kMostElements);
    count *= side;
  }
  return static_cast<std::size_t>(count);
}

std::string to_string(const TensorShape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

template <class T>
Result<std::vector<T>> copy_elements(std::string_view bytes, std::size_t count, std::string_view name) {
  if (bytes.size() != count * sizeof(T))
    return fail(ErrorCode::InvalidArgument, "input '{}' has {} bytes, expected {} for {} elements", name, bytes.size(),
                count * sizeof(T), count);
  std::vector<T> elements(count);
  if (count > 0) std::memcpy(elements.data(), bytes.data(), bytes.size());
  return elements;
}

template Result<std::vector<float>> copy_elements(std::string_view, std::size_t, std::string_view);
template Result<std::vector<std::uint8_t>> copy_elements(std::string_view, std::size_t, std::string_view);

Result<std::vector<Encoded>> split_elements(std::string_view bytes, std::size_t count, std::string_view name) {
  std::vector<Encoded> images;
  while (!bytes.empty()) {
    std::uint32_t size = 0;
    if (bytes.size() >= kLengthBytes) std::memcpy(&size, bytes.data(), kLengthBytes);
    if (bytes.size() < kLengthBytes || size > bytes.size() - kLengthBytes)
      return fail(ErrorCode::InvalidArgument, "input '{}': element {} ends beyond the tensor's bytes", name,
                  images.size());
    if (images.size() == count)
      return fail(ErrorCode::InvalidArgument, "input '{}' has more than the {} elements of its shape", name, count);
    images.push_back(Encoded{bytes.substr(kLengthBytes, size), {}});
    bytes.remove_prefix(kLengthBytes + size);
  }
  if (images.size() != count)
    return fail(ErrorCode::InvalidArgument, "input '{}' has {} elements, expected {}", name, images.size(), count);
  return images;
}

void append_elements(std::string& out, const InferOutput& output) {
  if (const auto* floats = std::get_if<std::vector<float>>(&output.data)) {
    const std::size_t start = out.size();
    out.resize(start + floats->size() * sizeof(float));
    std::memcpy(out.data() + start, floats->data(), floats->size() * sizeof(float));
    return;
  }
  for (const auto& text : std::get<std::vector<std::string>>(output.data)) {
    const auto size = static_cast<std::uint32_t>(text.size());
    out.append(std::bit_cast<std::array<char, kLengthBytes>>(size).data(), kLengthBytes);
    out += text;
  }
}

}  // namespace imago::serve
