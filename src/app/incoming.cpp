// SPDX-License-Identifier: Apache-2.0
#include "app/incoming.hpp"

#include <algorithm>

#include "base/files.hpp"

namespace imago::app {
namespace {

constexpr std::size_t kFilesAtOnce = 1000;  // that are open together

struct Found {
  fs::path path;
  std::string name;  ///< with the folder that labels it
};

Result<std::vector<Found>> find_files(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) return fail(ErrorCode::NotFound, "no file or folder {}", path.string());
  const auto name_of = [](const fs::path& file) {
    const auto whole = fs::absolute(file).lexically_normal();
    return (whole.parent_path().filename() / whole.filename()).string();
  };
  if (!fs::is_directory(status)) return std::vector<Found>{{path, name_of(path)}};
  std::vector<Found> found;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (!it->is_regular_file() || it->path().filename().string().starts_with('.')) continue;
    found.push_back({it->path(), name_of(it->path())});
  }
  if (error) return fail(ErrorCode::Internal, "reading {}: {}", path.string(), error.message());
  if (found.empty()) return fail(ErrorCode::InvalidArgument, "{} has no file in it", path.string());
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.path < b.path; });
  return found;
}

}  // namespace

Result<data::UploadReport> take_in(data::Uploads& uploads, const std::string& path,
                                   const std::vector<std::string>& labels) {
  TRY(const auto found, find_files(path));
  data::UploadReport all;
  for (std::size_t first = 0; first < found.size(); first += kFilesAtOnce) {
    const std::size_t last = std::min(found.size(), first + kFilesAtOnce);
    std::vector<MappedFile> open;
    std::vector<data::IncomingFile> files;
    for (std::size_t i = first; i < last; ++i) {
      TRY(auto file, MappedFile::open(found[i].path));
      open.push_back(std::move(file));
      files.push_back({.name = found[i].name, .label = "", .bytes = as_text(open.back().bytes())});
    }
    TRY(const auto report, uploads.add(files, labels));
    all.accepted.insert(all.accepted.end(), report.accepted.begin(), report.accepted.end());
    all.rejected.insert(all.rejected.end(), report.rejected.begin(), report.rejected.end());
    all.aliases.insert(all.aliases.end(), report.aliases.begin(), report.aliases.end());
  }
  return all;
}

}  // namespace imago::app
