// SPDX-License-Identifier: Apache-2.0
#include "weights/torch_file.hpp"

#include <utility>

#include "data/source.hpp"
#include "weights/torch_stream.hpp"

namespace imago::weights {
namespace {

constexpr std::uint64_t kMaxPickleBytes = 64U << 20;
/// PyTorch stores without packing; somebody may have packed it again.
constexpr data::SourceLimits kLimits{.file_bytes = std::uint64_t{4} << 30,
                                     .total_bytes = std::uint64_t{4} << 30,
                                     .files = 100'000,
                                     .ratio = 20,
                                     .ratio_from = std::uint64_t{64} << 20};
constexpr std::string_view kStorages = "data/";

/// The entries of the zip that matter, in whatever folder they are.
class PartsReader {
 public:
  Result<void> take(data::SourceItem item) {
    if (item.kind == data::SourceItem::Kind::Refused)
      return fail(ErrorCode::ResourceExhausted, "{}: {}", item.path, item.reason);
    const auto slash = item.path.find('/');
    if (item.kind == data::SourceItem::Kind::Folder || slash == std::string::npos) return {};
    const auto part = std::string_view(item.path).substr(slash + 1);
    if (part == "constants.pkl" || part.starts_with("code/")) script_ = true;
    const bool storage = part.starts_with(kStorages);
    if (part != "data.pkl" && part != "byteorder" && !storage) return {};
    const auto top = item.path.substr(0, slash);
    if (std::exchange(top_, top) != top && seen_) return fail(ErrorCode::Corrupt, "it has parts in two folders");
    seen_ = true;
    if (storage) {
      const auto [place, fresh] = parts_.bytes.emplace(part.substr(kStorages.size()), std::move(item.bytes));
      return fresh ? Result<void>() : fail(ErrorCode::Corrupt, "it has '{}' twice", item.path);
    }
    if (part == "byteorder") {
      parts_.big_endian = item.bytes == "big";
      return {};
    }
    if (std::exchange(pickled_, true)) return fail(ErrorCode::Corrupt, "it has '{}' twice", item.path);
    parts_.pickle = std::move(item.bytes);
    return {};
  }

  Result<TorchParts> finish() {
    if (script_)
      return fail(
          ErrorCode::Unsupported,
          "it is a TorchScript program: save its weights alone, with torch.save(torch.jit.load(FILE).state_dict(), "
          "NEW_FILE)");
    if (!pickled_) return fail(ErrorCode::Unsupported, "it is a zip without data.pkl, so torch.save did not write it");
    if (parts_.pickle.size() > kMaxPickleBytes)
      return fail(ErrorCode::Unsupported, "its data.pkl has {} bytes, at most {}", parts_.pickle.size(),
                  kMaxPickleBytes);
    return std::move(parts_);
  }

 private:
  TorchParts parts_;
  std::string top_;
  bool seen_ = false, pickled_ = false, script_ = false;
};

}  // namespace

bool looks_like_torch(std::string_view bytes) { return bytes.starts_with("PK\3\4") || looks_like_torch_stream(bytes); }

Result<model::Weights> decode_torch_file(std::string_view bytes) {
  if (looks_like_torch_stream(bytes)) {
    TRY(const auto parts, read_torch_stream(bytes));
    return weights_of(parts);
  }
  PartsReader reader;
  TRY_VOID(data::read_archive_bytes("its zip", bytes, kLimits,
                                    [&](data::SourceItem item) { return reader.take(std::move(item)); }));
  TRY(const auto parts, reader.finish());
  return weights_of(parts);
}

}  // namespace imago::weights
