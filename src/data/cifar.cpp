// SPDX-License-Identifier: Apache-2.0
#include "data/cifar.hpp"

#include <algorithm>

#include "data/pickle.hpp"

namespace imago::data {
namespace {

constexpr std::size_t kRecordBytes = 1 + kCifarImageBytes;
constexpr int kSide = 32;

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool is_batch(std::string_view name) {
  return name == "test_batch" ||
         (name.size() == 12 && name.starts_with("data_batch_") && name[11] >= '1' && name[11] <= '9');
}

Result<void> check_label(std::int64_t label, std::size_t record) {
  if (label >= 0 && label < static_cast<std::int64_t>(kCifarLabels.size())) return {};
  return fail(ErrorCode::Corrupt, "CIFAR-10 record {} has label {}, but labels go from 0 to 9", record, label);
}

Result<CifarBatch> read_binary(std::string_view bytes) {
  if (bytes.empty() || bytes.size() % kRecordBytes != 0)
    return fail(ErrorCode::Corrupt, "{} bytes are not a whole number of CIFAR-10 records of {}: cut short?",
                bytes.size(), kRecordBytes);
  CifarBatch batch;
  batch.planes.reserve(bytes.size());
  for (std::size_t i = 0; i * kRecordBytes < bytes.size(); ++i) {
    const auto record = bytes.substr(i * kRecordBytes, kRecordBytes);
    const int label = static_cast<unsigned char>(record[0]);
    TRY_VOID(check_label(label, i));
    batch.labels.push_back(label);
    batch.planes += record.substr(1);
  }
  return batch;
}

/// An array that was named but never filled has no dtype.
bool is_bytes_array(const PickleValue& value) {
  return value.kind == PickleValue::Kind::Array && value.dtype != nullptr && value.dtype->text == "u1";
}

/// The labels: a list of numbers, or a numpy array of single bytes.
Result<std::vector<int>> labels_from(const PickleValue& value) {
  std::vector<int> labels;
  if (value.kind == PickleValue::Kind::List) {
    for (const auto* item : value.items) {
      if (item->kind != PickleValue::Kind::Int)
        return fail(ErrorCode::Corrupt, "\"labels\" has something else than numbers");
      TRY_VOID(check_label(item->number, labels.size()));
      labels.push_back(static_cast<int>(item->number));
    }
    return labels;
  }
  if (!is_bytes_array(value)) return fail(ErrorCode::Unsupported, "\"labels\" is neither a list nor an array of uint8");
  for (const char label : value.text) {
    TRY_VOID(check_label(static_cast<unsigned char>(label), labels.size()));
    labels.push_back(static_cast<unsigned char>(label));
  }
  return labels;
}

Result<std::string> planes_from(const PickleValue& value, std::size_t records) {
  if (!is_bytes_array(value)) return fail(ErrorCode::Unsupported, "\"data\" is not a numpy array of uint8");
  std::int64_t elements = 1;
  for (const auto* side : value.items) {
    if (side->number < 0 || side->number > 1'000'000)
      return fail(ErrorCode::Corrupt, "\"data\" has a side of {}", side->number);
    if (elements > 1'000'000'000) break;
    elements *= side->number;
  }
  if (value.items.empty() || value.items[0]->number != static_cast<std::int64_t>(records) ||
      elements != static_cast<std::int64_t>(records * kCifarImageBytes) ||
      value.text.size() != records * kCifarImageBytes)
    return fail(ErrorCode::Corrupt, "\"data\" has {} bytes, but {} labels need {}", value.text.size(), records,
                records * kCifarImageBytes);
  if (!value.column_major) return std::string(value.text);
  if (value.items.size() != 2)
    return fail(ErrorCode::Unsupported, "\"data\" is in Fortran order with {} axes", value.items.size());
  std::string planes(value.text.size(), '\0');
  for (std::size_t row = 0; row < records; ++row)
    for (std::size_t i = 0; i < kCifarImageBytes; ++i)
      planes[row * kCifarImageBytes + i] = value.text[i * records + row];
  return planes;
}

Result<CifarBatch> read_python(std::string_view bytes) {
  TRY(const auto pickle, Pickle::read(bytes));
  const auto* labels = pickle.root().find("labels");
  const auto* data = pickle.root().find("data");
  if (labels == nullptr || data == nullptr)
    return fail(ErrorCode::Corrupt, "not a CIFAR-10 batch: no \"labels\" and \"data\" in it");
  CifarBatch batch;
  TRY(batch.labels, labels_from(*labels));
  TRY(batch.planes, planes_from(*data, batch.labels.size()));
  if (batch.labels.empty()) return fail(ErrorCode::Corrupt, "a CIFAR-10 batch without images");
  return batch;
}

}  // namespace

CifarFile cifar_file(std::string_view path) {
  const auto name = base_name(path);
  if (name == "batches.meta.txt") return CifarFile::BinaryNames;
  if (name == "batches.meta") return CifarFile::PythonNames;
  if (is_batch(name)) return CifarFile::PythonBatch;
  if (name.ends_with(".bin") && is_batch(name.substr(0, name.size() - 4))) return CifarFile::BinaryBatch;
  return CifarFile::None;
}

Split cifar_split(std::string_view path) { return base_name(path).starts_with("test") ? Split::Test : Split::Train; }

Result<CifarBatch> read_cifar_batch(CifarFile kind, std::string_view bytes) {
  return kind == CifarFile::BinaryBatch ? read_binary(bytes) : read_python(bytes);
}

Result<std::vector<std::string>> read_cifar_names(CifarFile kind, std::string_view bytes) {
  std::vector<std::string> names;
  if (kind == CifarFile::BinaryNames) {
    for (std::size_t start = 0; start < bytes.size();) {
      const auto end = std::min(bytes.find('\n', start), bytes.size());
      auto name = bytes.substr(start, end - start);
      if (name.ends_with('\r')) name.remove_suffix(1);
      if (!name.empty()) names.emplace_back(name);
      start = end + 1;
    }
  } else {
    TRY(const auto pickle, Pickle::read(bytes));
    const auto* list = pickle.root().find("label_names");
    if (list == nullptr) return fail(ErrorCode::Corrupt, "no \"label_names\" in it");
    // Of more only the number is told: one long text may be in the list a million times.
    if (list->items.size() != kCifarLabels.size())
      return fail(ErrorCode::Corrupt, "{} class names, but CIFAR-10 has 10", list->items.size());
    for (const auto* item : list->items) names.emplace_back(item->text);
  }
  if (names.size() != kCifarLabels.size())
    return fail(ErrorCode::Corrupt, "{} class names, but CIFAR-10 has 10", names.size());
  return names;
}

image::Image cifar_image(std::string_view planes) {
  EXPECTS(planes.size() == kCifarImageBytes, "a CIFAR image has 3072 bytes");
  image::Image image{kSide, kSide, std::vector<std::uint8_t>(kCifarImageBytes)};
  const std::size_t pixels = image.pixels();
  for (std::size_t i = 0; i < pixels; ++i)
    for (std::size_t c = 0; c < 3; ++c) image.rgb[i * 3 + c] = static_cast<std::uint8_t>(planes[c * pixels + i]);
  return image;
}

}  // namespace imago::data
