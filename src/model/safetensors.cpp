// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/files.hpp"
#include "json/json.hpp"
#include "model/number_types.hpp"

namespace imago::model {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are copied as they lie in the file");

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit
constexpr std::size_t kLengthBytes = sizeof(std::uint64_t);
constexpr std::size_t kMaxRank = 8;

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// The nearest one, of two as near the even one. For finite values of at most 65504.
std::uint16_t float_to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude < std::bit_cast<std::uint32_t>(0x1p-14F)) {  // counted in 2^-24; what reaches 2^-14 is a normal one
    const float steps = std::nearbyint(std::bit_cast<float>(magnitude) * 0x1p24F);
    return static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(steps));
  }
  magnitude += 0xFFFU + ((magnitude >> 13) & 1U);
  return static_cast<std::uint16_t>(sign | ((magnitude >> 13) - (112U << 10)));
}

/// Whether half precision costs the tensor no more than rounding; see Storage::Float16.
bool fits_half(const Tensor& tensor) {
  double squares = 0;
  bool subnormal = false;
  for (const float value : tensor.data) {
    const float magnitude = std::abs(value);
    if (!(magnitude <= 65504.0F)) return false;
    subnormal = subnormal || (magnitude != 0 && magnitude < 0x1p-14F);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  if (!subnormal) return true;
  return tensor.shape.size() >= 2 && squares >= static_cast<double>(tensor.data.size()) * 0x1p-26;
}

void append_halves(const std::vector<float>& values, std::string& out) {
  for (const float value : values) {
    const std::uint16_t half = float_to_half(value);
    out.append(reinterpret_cast<const char*>(&half), sizeof half);
  }
}

/// One tensor as the header describes it, held to the file's size.
struct Entry {
  const NumberType* type = nullptr;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;
  std::uint64_t count = 1;
};

Result<Entry> entry_from_json(const json::Value& value, std::uint64_t data_bytes) {
  Entry entry;
  TRY(const auto type, json::get<std::string>(value, "dtype"));
  entry.type = find_number_type(type);
  if (entry.type == nullptr) return fail(ErrorCode::Unsupported, "type '{}' is not read", type);
  TRY(entry.shape, json::get<std::vector<std::int64_t>>(value, "shape"));
  TRY(const auto offsets, json::get<std::vector<std::uint64_t>>(value, "data_offsets"));
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_bytes) {
    return fail(ErrorCode::Corrupt, "offsets [{}] do not lie in its {} bytes of data", fmt::join(offsets, ", "),
                data_bytes);
  }
  entry.begin = offsets[0];
  entry.end = offsets[1];
  const std::uint64_t bytes = entry.end - entry.begin;
  if (entry.shape.size() > kMaxRank) return fail(ErrorCode::Unsupported, "{} dimensions", entry.shape.size());
  for (const std::int64_t side : entry.shape) {
    if (side < 0) return fail(ErrorCode::Corrupt, "shape [{}] has a negative side", fmt::join(entry.shape, ", "));
    if (side != 0 && entry.count > data_bytes / static_cast<std::uint64_t>(side)) {
      return fail(ErrorCode::Corrupt, "shape [{}] is larger than the file", fmt::join(entry.shape, ", "));
    }
    entry.count *= static_cast<std::uint64_t>(side);
  }
  if (bytes / entry.type->size != entry.count || bytes % entry.type->size != 0) {
    return fail(ErrorCode::Corrupt, "shape [{}] of {} does not fill {} bytes", fmt::join(entry.shape, ", "), type,
                bytes);
  }
  return entry;
}

/// Ranges must cover the data with neither overlap nor hole, as the format demands.
Result<void> check_cover(std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges, std::uint64_t data_bytes) {
  std::ranges::sort(ranges);
  std::uint64_t at = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != at) return fail(ErrorCode::Corrupt, "the data of a tensor begins at {}, not at {}", begin, at);
    at = end;
  }
  if (at != data_bytes) return fail(ErrorCode::Corrupt, "its tensors end at {} of {} bytes of data", at, data_bytes);
  return {};
}

Result<void> read_metadata(const json::Value& value, Metadata* metadata) {
  if (!value.is_object()) return fail(ErrorCode::Corrupt, "'__metadata__' is not an object");
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) return fail(ErrorCode::Corrupt, "'__metadata__': '{}' is not a string", key);
    if (metadata != nullptr) (*metadata)[key] = text.get<std::string>();
  }
  return {};
}

Tensor read_tensor(const Entry& entry, Bytes data) {
  Tensor tensor{entry.shape, std::vector<float>(entry.count)};
  read_numbers(*entry.type, data.data() + entry.begin, tensor.data);
  return tensor;
}

Result<Weights> decode(Bytes bytes, Metadata* metadata) {
  if (bytes.size() < kLengthBytes) return fail(ErrorCode::Corrupt, "only {} bytes", bytes.size());
  const auto header_bytes = load<std::uint64_t>(bytes.data());
  if (header_bytes > std::min<std::uint64_t>(kMaxHeaderBytes, bytes.size() - kLengthBytes)) {
    return fail(ErrorCode::Corrupt, "a header of {} bytes in a file of {}", header_bytes, bytes.size());
  }
  TRY(const auto header, json::parse(as_text(bytes.subspan(kLengthBytes, header_bytes))));
  if (!header.is_object()) return fail(ErrorCode::Corrupt, "the header is not an object");
  const Bytes data = bytes.subspan(kLengthBytes + header_bytes);
  std::map<std::string, Entry> entries;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") {
      TRY_VOID(read_metadata(value, metadata));
      continue;
    }
    auto entry = entry_from_json(value, data.size());
    if (!entry) {  // a header that is no header is corrupt, whatever json::get calls it
      if (entry.error().code == ErrorCode::InvalidArgument) entry.error().code = ErrorCode::Corrupt;
      return pass(entry, fmt::format("tensor '{}'", name));
    }
    ranges.emplace_back(entry->begin, entry->end);
    entries.emplace(name, std::move(*entry));
  }
  TRY_VOID(check_cover(std::move(ranges), data.size()));
  Weights weights;
  for (const auto& [name, entry] : entries) {
    if (entry.type->read != nullptr) weights.emplace(name, read_tensor(entry, data));
  }
  return weights;
}

}  // namespace

std::string encode_safetensors(const Weights& weights, const Metadata& metadata, Storage storage) {
  json::Value header = json::Value::object();
  if (!metadata.empty()) {
    json::Value& texts = header["__metadata__"] = json::Value::object();
    for (const auto& [key, text] : metadata) texts[key] = text;
  }
  // The wider type first, then by name, as the reference writer does: so every tensor is aligned.
  std::vector<std::pair<Weights::const_iterator, bool>> order;
  for (auto it = weights.begin(); it != weights.end(); ++it)
    order.emplace_back(it, storage == Storage::Float16 && fits_half(it->second));
  std::stable_partition(order.begin(), order.end(), [](const auto& one) { return !one.second; });
  std::uint64_t at = 0;
  for (const auto& [it, half] : order) {
    const auto& [name, tensor] = *it;
    const std::uint64_t end = at + tensor.data.size() * (half ? sizeof(std::uint16_t) : sizeof(float));
    header[name] = {{"dtype", half ? "F16" : "F32"}, {"shape", tensor.shape}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = json::dump(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data begins on 8 bytes, as the reference writer does
  const std::uint64_t length = text.size();
  std::string out(reinterpret_cast<const char*>(&length), sizeof length);
  out.reserve(sizeof length + text.size() + at);
  out += text;
  for (const auto& [it, half] : order) {
    const std::vector<float>& values = it->second.data;
    if (half) {
      append_halves(values, out);
    } else {
      out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    }
  }
  return out;
}

Result<Weights> decode_safetensors(Bytes bytes, Metadata* metadata) {
  auto weights = decode(bytes, metadata);
  if (!weights) return pass(weights, "safetensors");
  return weights;
}

Result<Weights> read_safetensors(const std::filesystem::path& path, Metadata* metadata) {
  TRY(const auto file, MappedFile::open(path));
  auto weights = decode(file.bytes(), metadata);
  if (!weights) return pass(weights, path.string());
  return weights;
}

}  // namespace imago::model
