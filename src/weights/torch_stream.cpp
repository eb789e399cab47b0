// SPDX-License-Identifier: Apache-2.0
#include "weights/torch_stream.hpp"

#include <cstdint>
#include <map>
#include <string>

#include "base/files.hpp"
#include "data/pickle.hpp"

namespace imago::weights {
namespace {

using data::Pickle;
using data::PickleValue;
using Kind = PickleValue::Kind;

/// The pickled number 0x1950a86a20f9469cfc6c.
constexpr std::string_view kMagic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
constexpr std::int64_t kProtocol = 1001;

Result<Pickle> take_pickle(std::string_view& rest, std::string_view what) {
  auto pickle = Pickle::read(rest, data::PickleUse::Weights);
  if (!pickle) return fail(pickle.error().code, "{}: {}", what, pickle.error().message);
  rest.remove_prefix(pickle->size());
  return pickle;
}

/// How many bytes a number of each storage has.
Result<std::map<std::string_view, std::size_t>> number_sizes(const Pickle& pickle) {
  std::map<std::string_view, std::size_t> sizes;
  for (const PickleValue& value : pickle.values()) {
    if (value.kind != Kind::Persistent) continue;
    TRY(const auto id, storage_id(value));
    sizes.emplace(id.key, id.type->size);
  }
  return sizes;
}

Result<std::string_view> take_storage(std::string_view& rest, std::string_view key, std::size_t number_size) {
  std::uint64_t count = 0;
  constexpr std::size_t kCountBytes = sizeof count;
  if (rest.size() < kCountBytes) return fail(ErrorCode::Corrupt, "it ends before storage '{}'", key);
  for (std::size_t i = 0; i < kCountBytes; ++i)  // little-endian wherever it was written, as the numbers are
    count |= std::uint64_t{static_cast<unsigned char>(rest[i])} << (8 * i);
  rest.remove_prefix(kCountBytes);
  if (count > rest.size() / number_size)
    return fail(ErrorCode::Corrupt, "storage '{}' has {} numbers of {} bytes, but {} bytes are left", key, count,
                number_size, rest.size());
  const auto bytes = rest.substr(0, count * number_size);
  rest.remove_prefix(bytes.size());
  return bytes;
}

}  // namespace

bool looks_like_torch_stream(std::string_view bytes) { return bytes.starts_with(kMagic); }

Result<TorchParts> read_torch_stream(std::string_view bytes) {
  std::string_view rest = bytes.substr(kMagic.size());
  TRY(const auto protocol, take_pickle(rest, "its protocol"));
  if (protocol.root().kind != Kind::Int || protocol.root().number != kProtocol)
    return fail(ErrorCode::Unsupported, "it is in PyTorch's old format, but not with protocol {}", kProtocol);
  TRY(const auto system, take_pickle(rest, "what it was written on"));
  const std::string_view object = rest;
  auto pickle = Pickle::read(object, data::PickleUse::Weights);
  if (!pickle) return tl::unexpected<Error>(weights_alone(pickle.error()));
  rest.remove_prefix(pickle->size());
  TRY(const auto keys, take_pickle(rest, "its keys"));
  if (keys.root().kind != Kind::List) return fail(ErrorCode::Corrupt, "its keys are no list");
  TRY(const auto sizes, number_sizes(*pickle));
  TorchParts parts{.pickle = std::string(object.substr(0, pickle->size())), .bytes = {}, .big_endian = false};
  for (const PickleValue* key : keys.root().items) {
    const auto known = sizes.find(key->text);
    if (key->kind != Kind::Text || known == sizes.end())
      return fail(ErrorCode::Corrupt, "it has a storage that nothing refers to");
    TRY(const auto storage, take_storage(rest, key->text, known->second));
    if (!parts.bytes.emplace(key->text, storage).second)
      return fail(ErrorCode::Corrupt, "it has storage '{}' twice", key->text);
  }
  return parts;
}

}  // namespace imago::weights
