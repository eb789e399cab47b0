// SPDX-License-Identifier: Apache-2.0
#include "package/package.hpp"

#include <algorithm>
#include <cmath>

#include "base/files.hpp"
#include "package/manifest.hpp"
#include "package/npy.hpp"

namespace imago::package {
namespace {

constexpr std::uint64_t kMaxManifestBytes = std::uint64_t{1} << 20;

/// What the small files hold, by name: hashed and parsed from the same bytes, so nothing can change in between.
using Contents = std::map<std::string, std::string>;

/// The network is read by others, and files this program does not know are only checked.
bool is_read_here(const std::string& name, const FileRecords& files) {
  if (name == "model.onnx" || name == "weights.safetensors") return false;
  for (int i = 0; i < kGoldenImages; ++i)
    if (name == golden_image(files, i)) return true;
  return is_required(name);
}

/// An error inside a package's file: whatever the reader called it, the package is broken.
template <class T>
tl::unexpected<Error> broken(Result<T>& result, std::string_view file) {
  if (result.error().code == ErrorCode::InvalidArgument) result.error().code = ErrorCode::Corrupt;
  return pass(result, file);
}

Result<void> compare_names(const FileRecords& expected, const std::map<std::string, std::uint64_t>& found) {
  for (const auto& [name, record] : expected) {
    const auto file = found.find(name);
    if (file == found.end()) return fail(ErrorCode::Corrupt, "'{}' is missing", name);
    if (file->second != record.bytes)
      return fail(ErrorCode::Corrupt, "'{}' has been altered: {} bytes, the manifest says {}", name, file->second,
                  record.bytes);
  }
  for (const auto& [name, bytes] : found) {
    if (!expected.contains(name)) return fail(ErrorCode::Corrupt, "'{}' is not in the manifest", name);
  }
  return {};
}

Result<Contents> read_verified(const fs::path& folder, const FileRecords& expected) {
  Contents contents;
  for (const auto& [name, record] : expected) {
    std::string digest;
    if (is_read_here(name, expected)) {
      TRY(contents[name], read_file(folder / name, record.bytes));
      digest = sha256(contents[name]);
    } else {
      TRY(digest, sha256_file(folder / name));
    }
    if (digest != record.sha256)
      return fail(ErrorCode::Corrupt, "'{}' has been altered: its hash is {}, the manifest says {}", name, digest,
                  record.sha256);
  }
  return contents;
}

Result<json::Value> parse_member(const Contents& contents, const std::string& name) {
  auto value = json::parse(contents.at(name));
  if (!value) return broken(value, name);
  if (!value->is_object()) return fail(ErrorCode::Corrupt, "{}: not a JSON object", name);
  return value;
}

Result<std::vector<float>> read_array(const Contents& contents, const std::string& name,
                                      const std::vector<std::int64_t>& shape) {
  auto tensor = decode_npy(as_bytes(contents.at(name)));
  if (!tensor) return broken(tensor, name);
  if (tensor->shape != shape)
    return fail(ErrorCode::Corrupt, "{}: shape [{}], but spec.json needs [{}]", name, fmt::join(tensor->shape, ", "),
                fmt::join(shape, ", "));
  if (!std::all_of(tensor->data.begin(), tensor->data.end(), [](float value) { return std::isfinite(value); }))
    return fail(ErrorCode::Corrupt, "{}: a value is not finite", name);
  return std::move(tensor->data);
}

Result<GoldenSet> read_golden(const Contents& contents, const FileRecords& files, const model::ModelSpec& spec) {
  GoldenSet golden;
  for (int i = 0; i < kGoldenImages; ++i) golden.encoded.push_back(contents.at(golden_image(files, i)));
  const auto& input = spec.graph.input;
  golden.inputs = {kGoldenImages, input.channels, input.height, input.width, {}};
  golden.logits = {kGoldenImages, spec.classes(), {}};
  TRY(golden.inputs.data,
      read_array(contents, "golden/inputs.npy", {kGoldenImages, input.channels, input.height, input.width}));
  TRY(golden.logits.data, read_array(contents, "golden/logits.npy", {kGoldenImages, spec.classes()}));
  return golden;
}

Result<ModelPackage> read_package(const fs::path& folder) {
  TRY(const auto found, list_files(folder));
  std::error_code error;
  if (fs::symlink_status(folder / "manifest.json", error).type() != fs::file_type::regular)
    return fail(ErrorCode::Corrupt, "'manifest.json' is missing");
  TRY(const auto manifest, read_file(folder / "manifest.json", kMaxManifestBytes));
  TRY(const auto files, decode_manifest(manifest));
  TRY_VOID(compare_names(files, found));
  if (auto complete = check_complete(files); !complete) return broken(complete, "manifest.json");
  TRY(const auto contents, read_verified(folder, files));

  ModelPackage package;
  package.folder = folder;
  package.digest = sha256(manifest);
  TRY(const auto spec, parse_member(contents, "spec.json"));
  auto read_spec = model::spec_from_json(spec);
  if (!read_spec) return broken(read_spec, "spec.json");
  package.spec = std::move(*read_spec);
  TRY(package.report, parse_member(contents, "report.json"));
  TRY(package.lineage, parse_member(contents, "lineage.json"));
  TRY(package.golden, read_golden(contents, files, package.spec));
  return package;
}

}  // namespace

Result<ModelPackage> open_package(const fs::path& folder) {
  auto package = read_package(folder);
  if (!package) return pass(package, "package " + folder.string());
  return package;
}

Result<void> seal_package(const fs::path& staged, const json::Value& report, const json::Value& lineage) {
  if (!report.is_object() || !lineage.is_object())
    return fail(ErrorCode::InvalidArgument, "report and lineage of a package are JSON objects");
  TRY_VOID(write_file(staged / "report.json", json::dump_pretty(report) + "\n"));
  TRY_VOID(write_file(staged / "lineage.json", json::dump_pretty(lineage) + "\n"));
  TRY(const auto found, list_files(staged));
  FileRecords files;
  for (const auto& [name, bytes] : found) {
    TRY(auto digest, sha256_file(staged / name));
    files[name] = {std::move(digest), bytes};
  }
  if (auto complete = check_complete(files); !complete) return pass(complete, "sealing " + staged.string());
  return write_file(staged / "manifest.json", encode_manifest(files));
}

}  // namespace imago::package
