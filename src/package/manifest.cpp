// SPDX-License-Identifier: Apache-2.0
#include "package/manifest.hpp"

#include <algorithm>
#include <array>

#include "base/files.hpp"
#include "json/json.hpp"
#include "package/package.hpp"

namespace imago::package {
namespace {

constexpr int kFormat = 1;
constexpr std::size_t kMaxFiles = 64;
constexpr std::uint64_t kMaxModelBytes = std::uint64_t{4} << 30;
constexpr std::uint64_t kMaxOtherBytes = std::uint64_t{64} << 20;

constexpr std::string_view kCompact = "compact";

constexpr std::array<std::string_view, 5> kAlways{"weights.safetensors", "spec.json", "report.json", "lineage.json",
                                                  "golden/logits.npy"};
/// In a whole package always, in a compact one never: they follow from the others.
constexpr std::array<std::string_view, 2> kDerived{"model.onnx", "golden/inputs.npy"};
constexpr std::array<std::string_view, 5> kImageEndings{".jpg", ".png", ".webp", ".bmp", ".gif"};

std::uint64_t most_bytes(std::string_view name) {
  if (name == "model.onnx" || name == "weights.safetensors") return kMaxModelBytes;
  return name == "golden/inputs.npy" ? kMaxInputBytes : kMaxOtherBytes;
}

/// Adds the files of one folder; `prefix` is its path inside the package, with the '/'.
Result<void> list_folder(const fs::path& folder, const std::string& prefix,
                         std::map<std::string, std::uint64_t>& files) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = prefix + it->path().filename().string();
    if (name == "manifest.json") continue;
    const auto status = it->symlink_status(error);
    if (error) break;
    if (status.type() == fs::file_type::directory && name == "golden") {
      TRY_VOID(list_folder(it->path(), "golden/", files));
      continue;
    }
    if (status.type() != fs::file_type::regular)
      return fail(ErrorCode::Corrupt, "{}: '{}' is not a plain file; a package has files and golden/ only",
                  folder.string(), name);
    const std::uint64_t bytes = it->file_size(error);
    if (error) break;
    if (bytes > most_bytes(name))
      return fail(ErrorCode::ResourceExhausted, "'{}' has {} bytes, at most {}", name, bytes, most_bytes(name));
    files[name] = bytes;
    if (files.size() > kMaxFiles) return fail(ErrorCode::Corrupt, "{}: more than {} files", folder.string(), kMaxFiles);
  }
  if (error) return fail(ErrorCode::Internal, "reading {}: {}", folder.string(), error.message());
  return {};
}

Result<FileRecord> read_record(const json::Value& value) {
  FileRecord record;
  TRY(record.sha256, json::get<std::string>(value, "sha256"));
  TRY(record.bytes, json::get<std::uint64_t>(value, "bytes"));
  return record;
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

/// The network is read by others, and files this program does not know are only checked.
bool is_read_here(const std::string& name, const Manifest& manifest) {
  if (name == "model.onnx" || name == "weights.safetensors") return false;
  for (int i = 0; i < kGoldenImages; ++i)
    if (name == golden_image(manifest.files, i)) return true;
  return is_required(name, manifest.form);
}

Result<Contents> read_contents(const fs::path& folder, const Manifest& manifest) {
  Contents contents;
  for (const auto& [name, record] : manifest.files) {
    std::string digest;
    if (is_read_here(name, manifest)) {
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

}  // namespace

Result<std::map<std::string, std::uint64_t>> list_files(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return fail(ErrorCode::NotFound, "no package at {}", folder.string());
  std::map<std::string, std::uint64_t> files;
  TRY_VOID(list_folder(folder, "", files));
  return files;
}

bool is_required(std::string_view name, Form form) {
  return std::ranges::find(kAlways, name) != kAlways.end() ||
         (form == Form::Whole && std::ranges::find(kDerived, name) != kDerived.end());
}

std::string golden_image(const FileRecords& files, int i) {
  for (const auto ending : kImageEndings) {
    if (auto name = fmt::format("golden/{}{}", i, ending); files.contains(name)) return name;
  }
  return {};
}

Result<void> check_complete(const Manifest& manifest) {
  const auto& [form, files] = manifest;
  for (const auto name : kAlways) {
    if (!files.contains(std::string(name))) return fail(ErrorCode::InvalidArgument, "'{}' is missing", name);
  }
  for (const auto name : kDerived) {
    const bool there = files.contains(std::string(name));
    if (form == Form::Whole && !there) return fail(ErrorCode::InvalidArgument, "'{}' is missing", name);
    if (form == Form::Compact && there)
      return fail(ErrorCode::InvalidArgument, "'{}' has no place in a compact package", name);
  }
  for (int i = 0; i < kGoldenImages; ++i) {
    if (golden_image(files, i).empty()) return fail(ErrorCode::InvalidArgument, "golden image {} is missing", i);
  }
  return {};
}

std::string encode_manifest(const Manifest& manifest) {
  json::Value value{{"format", kFormat}};
  if (manifest.form == Form::Compact) value["form"] = kCompact;
  json::Value& rows = value["files"] = json::Value::object();
  for (const auto& [name, record] : manifest.files) rows[name] = {{"sha256", record.sha256}, {"bytes", record.bytes}};
  return json::dump_pretty(value) + "\n";
}

Result<Manifest> decode_manifest(std::string_view text) {
  TRY(const auto value, json::parse(text));
  const auto format = json::get<int>(value, "format");
  if (!format) return fail(ErrorCode::Corrupt, "manifest.json: {}", format.error().message);
  if (*format != kFormat)
    return fail(ErrorCode::Unsupported, "package format {}, this program reads {}", *format, kFormat);
  Manifest manifest;
  if (value.contains("form")) {
    if (value["form"] != kCompact)
      return fail(ErrorCode::Unsupported, "a package of form {}, this program reads whole and \"{}\" ones",
                  json::dump(value["form"]), kCompact);
    manifest.form = Form::Compact;
  }
  const auto rows = json::get<json::Value>(value, "files");
  if (!rows || !rows->is_object()) return fail(ErrorCode::Corrupt, "manifest.json: no object \"files\"");
  for (const auto& [name, row] : rows->items()) {
    auto record = read_record(row);
    if (!record) return fail(ErrorCode::Corrupt, "manifest.json: '{}': {}", name, record.error().message);
    manifest.files[name] = std::move(*record);
  }
  return manifest;
}

Result<void> write_manifest(const fs::path& folder, Form form) {
  TRY(const auto found, list_files(folder));
  Manifest manifest{form, {}};
  for (const auto& [name, bytes] : found) {
    TRY(auto digest, sha256_file(folder / name));
    manifest.files[name] = {std::move(digest), bytes};
  }
  if (auto complete = check_complete(manifest); !complete) return pass(complete, "sealing " + folder.string());
  return write_file(folder / "manifest.json", encode_manifest(manifest));
}

Result<VerifiedFiles> read_verified(const fs::path& folder) {
  TRY(const auto found, list_files(folder));
  std::error_code error;
  if (fs::symlink_status(folder / "manifest.json", error).type() != fs::file_type::regular)
    return fail(ErrorCode::Corrupt, "'manifest.json' is missing");
  TRY(const auto text, read_file(folder / "manifest.json", kMaxManifestBytes));
  VerifiedFiles verified;
  verified.digest = sha256(text);
  TRY(verified.manifest, decode_manifest(text));
  TRY_VOID(compare_names(verified.manifest.files, found));
  if (const auto complete = check_complete(verified.manifest); !complete)
    return fail(ErrorCode::Corrupt, "manifest.json: {}", complete.error().message);
  TRY(verified.contents, read_contents(folder, verified.manifest));
  return verified;
}

}  // namespace imago::package
