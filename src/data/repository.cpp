// SPDX-License-Identifier: Apache-2.0
#include "data/repository.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "data/sync.hpp"
#include "data/version_files.hpp"

namespace imago::data {
namespace {

constexpr std::uint64_t kMaxObjectBytes = 64U << 20;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

Result<std::vector<Refusal>> read_reasons(const fs::path& file) {
  TRY(const auto text, read_file(file));
  std::vector<Refusal> reasons;
  for (std::size_t start = 0; start < text.size();) {
    const auto end = std::min(text.find('\n', start), text.size());
    TRY(const auto row, json::parse(std::string_view(text).substr(start, end - start)));
    TRY(auto path, json::get<std::string>(row, "path"));
    TRY(auto reason, json::get<std::string>(row, "reason"));
    reasons.push_back({std::move(path), std::move(reason)});
    start = end + 1;
  }
  return reasons;
}

Result<std::string> trimmed_file(const fs::path& path) {
  TRY(auto text, read_file(path, 4096));
  text.erase(text.find_last_not_of(" \r\n") + 1);
  return text;
}

}  // namespace

Repository::Repository(fs::path datasets_folder) : folder_(std::move(datasets_folder)) {}

Result<std::vector<std::string>> Repository::names() const {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    const auto name = it->path().filename().string();
    if (check_name(name) && fs::exists(it->path() / "latest")) found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<std::vector<std::string>> Repository::versions(const std::string& name) const {
  TRY_VOID(check_name(name));
  std::vector<std::pair<fs::file_time_type, std::string>> found;
  std::error_code error;
  for (fs::directory_iterator it(folder_ / name, error), end; !error && it != end; it.increment(error)) {
    std::error_code none;
    const auto written = fs::last_write_time(it->path() / "manifest.jsonl", none);
    const auto version = it->path().filename().string();
    if (!none && version.front() != '.') found.emplace_back(written, version);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> sorted;
  for (auto& [written, version] : found) sorted.push_back(std::move(version));
  return sorted;
}

Result<fs::path> Repository::resolve(const std::string& reference) const {
  const auto at = reference.find('@');
  const std::string name = reference.substr(0, at);
  TRY_VOID(check_name(name));
  TRY(const auto known, versions(name));
  if (known.empty()) {
    TRY(const auto all, names());
    return fail(ErrorCode::NotFound, "no data set '{}': {}", name,
                all.empty() ? "there is none yet; `imago data import` brings one in" : "there are " + joined(all));
  }
  if (at == std::string::npos) {
    TRY(const auto latest, trimmed_file(folder_ / name / "latest"));
    if (std::find(known.begin(), known.end(), latest) == known.end())
      return fail(ErrorCode::Corrupt, "data set '{}' points to version '{}', which is not there; there are {}", name,
                  latest, joined(known));
    return folder_ / name / latest;
  }
  const std::string prefix = reference.substr(at + 1);
  std::vector<std::string> matching;
  for (const auto& version : known)
    if (!prefix.empty() && version.starts_with(prefix)) matching.push_back(version);
  if (matching.size() == 1) return folder_ / name / matching.front();
  if (matching.empty())
    return fail(ErrorCode::NotFound, "data set '{}' has no version '{}': there are {}", name, prefix, joined(known));
  return fail(ErrorCode::InvalidArgument, "version '{}' of data set '{}' could be {}", prefix, name, joined(matching));
}

Result<std::string> Repository::version(const std::string& reference) const {
  TRY(const auto place, resolve(reference));
  return place.filename().string();
}

Result<std::vector<VersionSummary>> Repository::history(const std::string& name) const {
  TRY_VOID(resolve(name));
  TRY(const auto known, versions(name));
  std::vector<VersionSummary> summaries;
  for (const auto& version : known) {
    const auto file = folder_ / name / version / "manifest.jsonl";
    std::ifstream stream(file);
    std::string line;
    std::getline(stream, line);
    auto header = decode_manifest_header(line);
    if (!header) return pass(header, "reading " + file.string());
    std::error_code none;
    const auto written = std::chrono::file_clock::to_sys(fs::last_write_time(file, none));
    summaries.push_back({version, std::move(header->parent), std::move(header->labels), header->entries,
                         format_utc(std::chrono::time_point_cast<WallTime::duration>(written))});
  }
  return summaries;
}

Result<Manifest> Repository::load(const std::string& reference) const {
  TRY(const auto place, resolve(reference));
  const auto file = place / "manifest.jsonl";
  TRY(const auto text, read_file(file));
  auto manifest = decode_manifest(text);
  if (!manifest) return pass(manifest, "reading " + file.string());
  if (const auto version = version_of(*manifest); version != place.filename())
    return fail(ErrorCode::Corrupt, "{} has the content of version {}: it was changed or damaged", file.string(),
                version);
  return manifest;
}

Result<std::vector<Refusal>> Repository::refusals(const std::string& reference) const {
  TRY(const auto place, resolve(reference));
  return read_reasons(place / "refused.jsonl");
}

Result<std::vector<Refusal>> Repository::fixed(const std::string& reference) const {
  TRY(const auto place, resolve(reference));
  const auto file = place / "fixed.jsonl";
  if (!fs::exists(file)) return std::vector<Refusal>();  // older than these files
  return read_reasons(file);
}

fs::path Repository::object_path(const std::string& sha256) const {
  return folder_ / "objects" / sha256.substr(0, 2) / sha256;
}

Result<std::string> Repository::read_object(const std::string& sha256) const {
  TRY(auto bytes, read_file(object_path(sha256), kMaxObjectBytes));
  if (imago::sha256(bytes) != sha256)
    return fail(ErrorCode::Corrupt, "{} no longer has the bytes of its name: it was changed or damaged",
                object_path(sha256).string());
  return bytes;
}

bool Repository::has_object(const std::string& sha256, std::string_view bytes) const {
  // A crash of the machine may leave a file with a name but without its bytes: only the bytes count.
  std::error_code error;
  if (fs::file_size(object_path(sha256), error) != bytes.size() || error) return false;
  const auto stored = read_file(object_path(sha256), kMaxObjectBytes);
  return stored && *stored == bytes;
}

Result<std::string> Repository::put_object(std::string_view bytes) {
  static std::atomic<std::uint64_t> counter{0};
  auto digest = sha256(bytes);
  if (has_object(digest, bytes)) return digest;
  const auto path = object_path(digest);
  TRY_VOID(make_directories(path.parent_path()));
  const auto temporary = path.parent_path() / fmt::format(".{}-{}-{}", digest.substr(0, 12), ::getpid(), counter++);
  auto written = write_file(temporary, bytes);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0)
    written = fail(ErrorCode::Internal, "storing {}: {}", path.string(), std::strerror(errno));
  if (!written) {
    ::unlink(temporary.c_str());
    return pass(written);
  }
  return digest;
}

Result<std::string> Repository::publish(const Manifest& manifest, const std::vector<Refusal>& refused) {
  TRY_VOID(check_name(manifest.name));
  TRY_VOID(make_directories(folder_));
  TRY(const auto staged, TemporaryDirectory::create(folder_, "staging"));
  const auto place = staged.path() / "version";
  TRY(auto files,
      VersionFiles::create(place, {manifest.name, manifest.labels, manifest.parent, manifest.entries.size()}));
  for (const auto& entry : manifest.entries) TRY_VOID(files.add(entry));
  for (const auto& [path, reason] : refused) TRY_VOID(files.add_refused(path, reason));
  TRY(auto version, files.finish());
  TRY_VOID(publish_files(manifest.name, version, place));
  return version;
}

Result<void> Repository::publish_files(const std::string& name, const std::string& version, const fs::path& files) {
  const auto home = folder_ / name;
  TRY_VOID(make_directories(home));
  if (!fs::exists(home / version / "manifest.jsonl")) {
    TRY_VOID(sync_file_system(folder_));
    const auto published = publish_directory(files, home / version);
    if (!published && published.error().code != ErrorCode::AlreadyExists) return tl::unexpected(published.error());
  }
  return write_file_atomic(home / "latest", version + "\n");
}

}  // namespace imago::data
