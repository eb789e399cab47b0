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
constexpr std::uint64_t kMaxInputBytes = std::uint64_t{256} << 20;  // 8 images of up to 1672 x 1672
constexpr std::uint64_t kMaxOtherBytes = std::uint64_t{64} << 20;

constexpr std::array<std::string_view, 7> kAlways{"model.onnx",       "weights.safetensors", "spec.json",
                                                  "report.json",      "lineage.json",        "golden/inputs.npy",
                                                  "golden/logits.npy"};
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

}  // namespace

Result<std::map<std::string, std::uint64_t>> list_files(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return fail(ErrorCode::NotFound, "no package at {}", folder.string());
  std::map<std::string, std::uint64_t> files;
  TRY_VOID(list_folder(folder, "", files));
  return files;
}

bool is_required(std::string_view name) { return std::find(kAlways.begin(), kAlways.end(), name) != kAlways.end(); }

std::string golden_image(const FileRecords& files, int i) {
  for (const auto ending : kImageEndings) {
    if (auto name = fmt::format("golden/{}{}", i, ending); files.contains(name)) return name;
  }
  return {};
}

Result<void> check_complete(const FileRecords& files) {
  for (const auto name : kAlways) {
    if (!files.contains(std::string(name))) return fail(ErrorCode::InvalidArgument, "'{}' is missing", name);
  }
  for (int i = 0; i < kGoldenImages; ++i) {
    if (golden_image(files, i).empty()) return fail(ErrorCode::InvalidArgument, "golden image {} is missing", i);
  }
  return {};
}

std::string encode_manifest(const FileRecords& files) {
  json::Value rows = json::Value::object();
  for (const auto& [name, record] : files) rows[name] = {{"sha256", record.sha256}, {"bytes", record.bytes}};
  return json::dump_pretty({{"format", kFormat}, {"files", std::move(rows)}}) + "\n";
}

Result<FileRecords> decode_manifest(std::string_view text) {
  TRY(const auto value, json::parse(text));
  const auto format = json::get<int>(value, "format");
  if (!format) return fail(ErrorCode::Corrupt, "manifest.json: {}", format.error().message);
  if (*format != kFormat)
    return fail(ErrorCode::Unsupported, "package format {}, this program reads {}", *format, kFormat);
  const auto rows = json::get<json::Value>(value, "files");
  if (!rows || !rows->is_object()) return fail(ErrorCode::Corrupt, "manifest.json: no object \"files\"");
  FileRecords files;
  for (const auto& [name, row] : rows->items()) {
    auto record = read_record(row);
    if (!record) return fail(ErrorCode::Corrupt, "manifest.json: '{}': {}", name, record.error().message);
    files[name] = std::move(*record);
  }
  return files;
}

}  // namespace imago::package
