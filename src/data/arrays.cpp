// SPDX-License-Identifier: Apache-2.0
#include "data/arrays.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "base/files.hpp"
#include "image/decode.hpp"

namespace imago::data {
namespace {

template <class T>
double load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return static_cast<double>(value);
}

std::string shape_text(const std::vector<std::int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

/// One letter of "<U10"; false when it is none.
bool append_utf8(std::string& text, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6U);
    put(0x80 | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12U);
    put(0x80 | (code >> 6U & 0x3FU));
    put(0x80 | (code & 0x3FU));
  } else {
    put(0xF0 | code >> 18U);
    put(0x80 | (code >> 12U & 0x3FU));
    put(0x80 | (code >> 6U & 0x3FU));
    put(0x80 | (code & 0x3FU));
  }
  return true;
}

/// Elements are padded with zeros at their end.
Result<std::string> read_name(const NpyArray& array, std::size_t i) {
  const std::size_t size = array.element_bytes();
  const Bytes element = array.data.subspan(i * size, size);
  if (array.type[1] == 'S') {
    const auto text = as_text(element);
    return std::string(text.substr(0, text.find('\0')));
  }
  std::string name;
  for (std::size_t at = 0; at + 4 <= size; at += 4) {
    std::uint32_t code = 0;
    std::memcpy(&code, element.data() + at, 4);
    if (code == 0) break;
    if (!append_utf8(name, code)) return fail(ErrorCode::Corrupt, "label {} has a letter that Unicode has not", i);
  }
  return name;
}

}  // namespace

HeldBytes::HeldBytes(std::string text) {
  auto held = std::make_shared<const std::string>(std::move(text));
  bytes = as_bytes(*held);
  keeper = std::move(held);
}

Result<HeldBytes> HeldBytes::map(const fs::path& file) {
  TRY(auto mapped, MappedFile::open(file));
  auto held_file = std::make_shared<const MappedFile>(std::move(mapped));
  HeldBytes held;
  held.bytes = held_file->bytes();
  held.keeper = std::move(held_file);
  return held;
}

Result<std::vector<std::string>> read_array_of_names(Bytes bytes) {
  TRY(const auto array, read_npy(bytes));
  if (array.shape.size() != 1 || (array.type[1] != 'U' && array.type[1] != 'S'))
    return fail(ErrorCode::InvalidArgument, "expected text, of shape [classes]");
  std::vector<std::string> names;
  for (std::size_t i = 0; i < array.count(); ++i) {
    TRY(auto name, read_name(array, i));
    names.push_back(std::move(name));
  }
  return names;
}

ArrayImages::Load ArrayImages::load_for(const std::string& type) {
  static const std::map<std::string, Load> kLoads{
      {"|u1", load<std::uint8_t>},  {"|i1", load<std::int8_t>},   {"|b1", load<std::uint8_t>},
      {"<u2", load<std::uint16_t>}, {"<i2", load<std::int16_t>},  {"<u4", load<std::uint32_t>},
      {"<i4", load<std::int32_t>},  {"<u8", load<std::uint64_t>}, {"<i8", load<std::int64_t>},
      {"<f4", load<float>},         {"<f8", load<double>}};
  const auto found = kLoads.find(type);
  return found == kLoads.end() ? nullptr : found->second;
}

Result<void> ArrayImages::read_pixels() {
  const auto& shape = pixels_.shape;
  const bool gray = shape.size() == 3 || (shape.size() == 4 && shape[3] == 1);
  if (!gray && (shape.size() != 4 || shape[3] != 3))
    return fail(ErrorCode::InvalidArgument, "pixels of shape {}: expected [n, height, width, 3]", shape_text(shape));
  if (pixels_.fortran_order)
    return fail(ErrorCode::Unsupported, "pixels in Fortran order: save numpy.ascontiguousarray(x)");
  load_ = load_for(pixels_.type);
  if (load_ == nullptr)
    return fail(ErrorCode::Unsupported, "pixels of type '{}': expected uint8, or float32 from 0 to 1", pixels_.type);
  const image::DecodeLimits limits;
  if (shape[1] < 1 || shape[2] < 1 || shape[1] > limits.max_side || shape[2] > limits.max_side ||
      static_cast<std::uint64_t>(shape[1] * shape[2]) > limits.max_pixels)
    return fail(ErrorCode::InvalidArgument, "images of {} x {} pixels", shape[2], shape[1]);
  size_ = static_cast<std::size_t>(shape[0]);
  height_ = static_cast<std::size_t>(shape[1]);
  width_ = static_cast<std::size_t>(shape[2]);
  channels_ = gray ? 1 : 3;

  if (pixels_.type == "|u1") return {};  // every byte is a pixel: nothing to look through
  const std::size_t bytes = pixels_.element_bytes();
  double low = 0, high = 0;
  for (std::size_t i = 0; i < pixels_.data.size(); i += bytes) {
    const double value = load_(&pixels_.data[i]);
    if (!std::isfinite(value))
      return fail(ErrorCode::InvalidArgument, "pixels of image {} are not all numbers",
                  i / bytes / (height_ * width_ * channels_));
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (low < 0 || high > 255)
    return fail(ErrorCode::InvalidArgument, "pixels from {} to {}: expected 0 to 255, or 0 to 1, not normalised values",
                low, high);
  scale_ = pixels_.type == "|b1" || (pixels_.type[1] == 'f' && high <= 1) ? 255.0 : 1.0;
  return {};
}

Result<void> ArrayImages::read_labels(const NpyArray& array) {
  const auto& shape = array.shape;
  if (shape.empty() || static_cast<std::size_t>(shape[0]) != size_)
    return fail(ErrorCode::InvalidArgument, "labels of shape {} for {} images", shape_text(shape), size_);
  const std::size_t columns = shape.size() == 2 ? static_cast<std::size_t>(shape[1]) : 1;
  const bool one_hot = shape.size() == 2 && columns > 1;
  if (shape.size() > 2 || columns == 0 || (one_hot && columns != classes_.size()))
    return fail(ErrorCode::InvalidArgument,
                "labels of shape {}: expected [{}], or [{}, {}] with a single 1 in each row", shape_text(shape), size_,
                size_, classes_.size());
  if (one_hot && array.fortran_order)
    return fail(ErrorCode::Unsupported, "labels in Fortran order: save numpy.ascontiguousarray(y)");
  if (!one_hot && (array.type[1] == 'U' || array.type[1] == 'S')) {
    for (std::size_t i = 0; i < size_; ++i) {
      TRY(auto name, read_name(array, i));
      labels_.names.push_back(std::move(name));
    }
    return {};
  }
  const Load value = load_for(array.type);
  if (value == nullptr)
    return fail(ErrorCode::Unsupported, "labels of type '{}': expected integers or text", array.type);
  if (classes_.empty())
    return fail(ErrorCode::InvalidArgument, "class numbers mean nothing without a model's classes: send names");
  const std::size_t bytes = array.element_bytes();
  for (std::size_t i = 0; i < size_; ++i) {
    const std::byte* row = array.data.data() + i * columns * bytes;
    if (!one_hot) {
      labels_.numbers.push_back(value(row));
      continue;
    }
    double sum = 0, number = 0;
    bool plain = true;
    for (std::size_t c = 0; c < columns; ++c) {
      const double share = value(row + c * bytes);
      plain = plain && (share == 0 || share == 1);
      sum += share;
      if (share == 1) number = static_cast<double>(c);
    }
    labels_.numbers.push_back(plain && sum == 1 ? number : -1);
  }
  return {};
}

Result<ArrayImages> ArrayImages::open(HeldBytes pixels, Bytes labels, const std::vector<std::string>& classes) {
  ArrayImages images;
  images.classes_ = classes;
  images.keeper_ = std::move(pixels.keeper);
  auto array = read_npy(pixels.bytes);
  if (!array) return pass(array, "the array of pixels");
  images.pixels_ = std::move(*array);
  TRY_VOID(images.read_pixels());
  if (labels.empty()) return images;
  const auto names = read_npy(labels);
  if (!names) return tl::unexpected<Error>(Error(names.error()).with("the array of labels"));
  TRY_VOID(images.read_labels(*names));
  return images;
}

image::Image ArrayImages::image(std::size_t i) const {
  EXPECTS(i < size_, "image index within the array");
  image::Image image{static_cast<int>(width_), static_cast<int>(height_), {}};
  image.rgb.resize(image.pixels() * 3);
  const std::size_t bytes = pixels_.element_bytes();
  const std::byte* at = pixels_.data.data() + i * image.pixels() * channels_ * bytes;
  for (std::size_t pixel = 0; pixel < image.pixels(); ++pixel)
    for (std::size_t c = 0; c < 3; ++c) {
      const double value = load_(at + (pixel * channels_ + (channels_ == 3 ? c : 0)) * bytes);
      image.rgb[pixel * 3 + c] = static_cast<std::uint8_t>(std::lround(value * scale_));
    }
  return image;
}

Result<std::string> ArrayImages::label(std::size_t i) const {
  EXPECTS(i < size_, "image index within the array");
  if (!labels_.names.empty()) return labels_.names[i];
  if (labels_.numbers.empty()) return std::string();
  const double number = labels_.numbers[i];
  if (!(number >= 0 && number < static_cast<double>(classes_.size()) && number == std::floor(number)))
    return fail(ErrorCode::InvalidArgument, "its label is none of the classes 0 to {} ({})", classes_.size() - 1,
                fmt::join(classes_, ", "));
  return classes_[static_cast<std::size_t>(number)];
}

Result<double> ArrayImages::largest_class(Bytes labels) {
  auto array = read_npy(labels);
  if (!array) return pass(array, "the array of labels");
  const Load load = load_for(array->type);
  if (load == nullptr) return -1;
  if (array->shape.size() == 2 && array->shape[1] > 1) return static_cast<double>(array->shape[1] - 1);
  double largest = -1;
  for (std::size_t i = 0; i < array->data.size(); i += array->element_bytes())
    largest = std::max(largest, load(&array->data[i]));
  return largest;
}

}  // namespace imago::data
