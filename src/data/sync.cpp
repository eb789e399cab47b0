// SPDX-License-Identifier: Apache-2.0
#include "data/sync.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/files.hpp"

namespace imago::data {
namespace {

constexpr std::size_t kOneByOne = 64;

Result<void> sync_with(const fs::path& path, int (*sync)(int)) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || sync(fd.get()) != 0)
    return fail(errno == ENOSPC ? ErrorCode::ResourceExhausted : ErrorCode::Internal, "syncing {}: {}", path.string(),
                std::strerror(errno));
  return {};
}

}  // namespace

Result<void> sync_file_system(const fs::path& folder) { return sync_with(folder, ::syncfs); }

Result<void> sync_paths(const std::vector<fs::path>& paths) {
  if (paths.size() > kOneByOne) return sync_file_system(paths.front());
  for (const auto& path : paths) TRY_VOID(sync_with(path, ::fsync));
  return {};
}

}  // namespace imago::data
