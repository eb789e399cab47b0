// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/files.hpp"
#include "json/json.hpp"

namespace imago::model {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors is little-endian and read as it lies");

constexpr std::uint64_t kMaxHeader = 100'000'000;  // the reference implementation's limit
constexpr std::size_t kMaxDimensions = 8;

enum class Kind { F16, Bf16, F32, F64, Integer };

struct Entry {
  std::string name;
  Kind kind;
  std::vector<std::int64_t> shape;
  std::uint64_t begin, end;
};

std::size_t width_of(const std::string& dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64") return 8;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL") return 1;
  return 0;
}

Kind kind_of(const std::string& dtype) {
  if (dtype == "F32") return Kind::F32;
  if (dtype == "F16") return Kind::F16;
  if (dtype == "BF16") return Kind::Bf16;
  if (dtype == "F64") return Kind::F64;
  return Kind::Integer;
}

/// IEEE 754 binary16.
float from_half(std::uint16_t half) {
  const float sign = (half & 0x8000U) != 0 ? -1.0F : 1.0F;
  const int exponent = (half >> 10) & 0x1F;
  const auto fraction = static_cast<float>(half & 0x3FFU);
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  return sign * std::ldexp(fraction + 1024.0F, exponent - 25);
}

float read_value(const std::byte* at, Kind kind) {
  switch (kind) {
    case Kind::F32: {
      float value = 0;
      std::memcpy(&value, at, sizeof value);
      return value;
    }
    case Kind::F64: {
      double value = 0;
      std::memcpy(&value, at, sizeof value);
      return static_cast<float>(value);
    }
    case Kind::F16:
    case Kind::Bf16: {
      std::uint16_t bits = 0;
      std::memcpy(&bits, at, sizeof bits);
      return kind == Kind::F16 ? from_half(bits) : std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
    }
    case Kind::Integer: break;
  }
  return 0;
}

Result<Entry> read_entry(const std::string& name, const json::Value& row, std::uint64_t data_size) {
  TRY(const auto dtype, json::get<std::string>(row, "dtype"));
  TRY(auto shape, json::get<std::vector<std::int64_t>>(row, "shape"));
  TRY(const auto offsets, json::get<std::vector<std::uint64_t>>(row, "data_offsets"));
  const std::size_t width = width_of(dtype);
  if (width == 0) return fail(ErrorCode::Unsupported, "tensor '{}': type {} is not read", name, dtype);
  if (shape.size() > kMaxDimensions) return fail(ErrorCode::Corrupt, "tensor '{}': {} dimensions", name, shape.size());
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_size)
    return fail(ErrorCode::Corrupt, "tensor '{}': its data lies outside the file's {} bytes", name, data_size);
  std::uint64_t bytes = width;
  for (const std::int64_t side : shape) {
    if (side < 0 || (side > 0 && bytes > data_size / static_cast<std::uint64_t>(side)))
      return fail(ErrorCode::Corrupt, "tensor '{}': its shape needs more than the file has", name);
    bytes *= static_cast<std::uint64_t>(side);
  }
  if (bytes != offsets[1] - offsets[0])
    return fail(ErrorCode::Corrupt, "tensor '{}': its shape needs {} bytes, it has {}", name, bytes,
                offsets[1] - offsets[0]);
  return Entry{name, kind_of(dtype), std::move(shape), offsets[0], offsets[1]};
}

Result<void> refuse_overlap(std::vector<Entry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.begin < b.begin; });
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].begin < entries[i - 1].end)
      return fail(ErrorCode::Corrupt, "tensors '{}' and '{}' overlap", entries[i - 1].name, entries[i].name);
  }
  return {};
}

struct Header {
  json::Value rows;
  Bytes data;  // what the rows' offsets count in
};

Result<Header> read_header(Bytes bytes) {
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length)
    return fail(ErrorCode::Corrupt, "{} bytes are too few for safetensors", bytes.size());
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > kMaxHeader || length > bytes.size() - sizeof length)
    return fail(ErrorCode::Corrupt, "the header claims {} bytes, the file has {}", length, bytes.size());
  TRY(auto rows, json::parse(as_text(bytes.subspan(sizeof length, length))));
  if (!rows.is_object()) return fail(ErrorCode::Corrupt, "the header is no JSON object");
  return Header{std::move(rows), bytes.subspan(sizeof length + length)};
}

}  // namespace

std::string encode_safetensors(const Weights& weights, const Metadata& metadata) {
  json::Value header = json::Value::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : weights) {
    const std::uint64_t end = offset + tensor.data.size() * sizeof(float);
    header[name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = json::dump(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // keeps the data aligned
  const std::uint64_t length = text.size();
  std::string out(reinterpret_cast<const char*>(&length), sizeof length);
  out.reserve(out.size() + text.size() + offset);
  out += text;
  for (const auto& [name, tensor] : weights)
    out.append(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size() * sizeof(float));
  return out;
}

Result<Weights> decode_safetensors(Bytes bytes, Metadata* metadata) {
  TRY(const auto header, read_header(bytes));
  const Bytes data = header.data;
  std::vector<Entry> entries;
  for (const auto& [name, row] : header.rows.items()) {
    if (name != "__metadata__") {
      TRY(auto entry, read_entry(name, row, data.size()));
      entries.push_back(std::move(entry));
      continue;
    }
    for (const auto& [key, value] : row.items()) {
      if (!value.is_string()) return fail(ErrorCode::Corrupt, "__metadata__: '{}' is not text", key);
      if (metadata != nullptr) (*metadata)[key] = value.get<std::string>();
    }
  }
  TRY_VOID(refuse_overlap(entries));
  Weights weights;
  for (const auto& entry : entries) {
    if (entry.kind == Kind::Integer) continue;
    Tensor tensor{entry.shape, {}};
    std::uint64_t count = 1;
    for (const auto side : entry.shape) count *= static_cast<std::uint64_t>(side);
    const std::uint64_t width = count == 0 ? 1 : (entry.end - entry.begin) / count;
    tensor.data.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i)
      tensor.data.push_back(read_value(data.data() + entry.begin + i * width, entry.kind));
    weights[entry.name] = std::move(tensor);
  }
  return weights;
}

Result<Weights> read_safetensors(const std::filesystem::path& path, Metadata* metadata) {
  TRY(const auto file, MappedFile::open(path));
  auto weights = decode_safetensors(file.bytes(), metadata);
  if (!weights) return pass(weights, "reading " + path.string());
  return weights;
}

}  // namespace imago::model
