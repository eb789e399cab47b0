// SPDX-License-Identifier: Apache-2.0
#include "data/staging.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace imago::data {
namespace {

constexpr std::string_view kPrefix = "staging";

void sweep(const fs::path& datasets) {
  std::error_code error;
  std::vector<fs::path> stale;
  for (fs::directory_iterator it(datasets, error), end; !error && it != end; it.increment(error))
    if (it->path().filename().string().starts_with(fmt::format(".{}-", kPrefix))) stale.push_back(it->path());
  for (const auto& path : stale) fs::remove_all(path, error);  // what cannot be removed now is tried again next time
}

}  // namespace

Result<Staging> Staging::open(Repository& repository, bool wait) {
  TRY_VOID(make_directories(repository.folder()));
  const auto place = repository.folder() / ".import.lock";
  auto lock = wait ? FileLock::lock(place) : FileLock::try_lock(place);
  if (!lock && lock.error().code == ErrorCode::Unavailable)
    return fail(ErrorCode::Unavailable, "another import into {} is running: wait for it", repository.folder().string());
  if (!lock) return pass(lock);
  sweep(repository.folder());
  TRY(auto folder, TemporaryDirectory::create(repository.folder(), kPrefix));
  return Staging(repository, std::move(*lock), std::move(folder));
}

Result<std::string> Staging::put(std::string_view bytes) {
  auto digest = sha256(bytes);
  if (!repository_->has_object(digest, bytes)) TRY_VOID(put_new(digest, bytes));
  return digest;
}

Result<void> Staging::put_new(const std::string& sha256, std::string_view bytes) {
  const auto path = objects() / sha256.substr(0, 2) / sha256;
  std::error_code error;
  if (fs::file_size(path, error) == bytes.size() && !error) return {};  // a copy that came before
  auto written = write_file(path, bytes);
  if (written || written.error().code != ErrorCode::NotFound) return written;
  TRY_VOID(make_directories(path.parent_path()));
  return write_file(path, bytes);
}

Result<std::string> Staging::publish(const Manifest& manifest, const std::vector<Refusal>& refused, bool& was_there) {
  TRY(was_there, is_known(manifest.name, version_of(manifest)));
  TRY_VOID(move_objects());
  return repository_->publish(manifest, refused);
}

Result<bool> Staging::publish_files(const std::string& name, const std::string& version, const fs::path& files) {
  TRY(const bool known, is_known(name, version));
  TRY_VOID(move_objects());
  TRY_VOID(repository_->publish_files(name, version, files));
  return known;
}

Result<bool> Staging::is_known(const std::string& name, const std::string& version) const {
  TRY(const auto known, repository_->versions(name));
  return std::find(known.begin(), known.end(), version) != known.end();
}

Result<void> Staging::move_objects() {
  if (!fs::exists(objects())) return {};  // all were stored already
  TRY_VOID(make_directories(repository_->folder() / "objects"));
  for (const auto& part : fs::directory_iterator(objects())) {
    const auto target = repository_->folder() / "objects" / part.path().filename();
    if (std::rename(part.path().c_str(), target.c_str()) == 0) continue;  // the first of its folder: all at once
    for (const auto& object : fs::directory_iterator(part.path()))
      if (std::rename(object.path().c_str(), (target / object.path().filename()).c_str()) != 0)
        return fail(ErrorCode::Internal, "storing {}: {}", object.path().filename().string(), std::strerror(errno));
  }
  return {};
}

}  // namespace imago::data
