// SPDX-License-Identifier: Apache-2.0
#include "data/export.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "base/files.hpp"
#include "data/sync.hpp"

namespace imago::data {
namespace {

/// Path in the export -> entry.
using Plan = std::map<std::string, const Entry*>;

/// "photo.jpg" -> "photo-1f2e3d4c.jpg".
std::string with_suffix(const std::string& name, const std::string& suffix) {
  const auto dot = name.rfind('.');
  const auto stem = dot == std::string::npos || dot == 0 ? name.size() : dot;
  return name.substr(0, stem) + "-" + suffix + name.substr(stem);
}

Result<Plan> plan_export(const Manifest& manifest, std::optional<Split> split) {
  for (const auto& label : manifest.labels)
    if (!is_safe_path(label) || label.find('/') != std::string::npos)
      return fail(ErrorCode::InvalidArgument, "label '{}' cannot name a folder", label);
  Plan plan;
  for (const auto& entry : manifest.entries) {
    if (split && entry.split != *split) continue;
    const auto folder =
        fmt::format("{}/{}/", to_string(entry.split), manifest.labels[static_cast<std::size_t>(entry.label)]);
    const auto name = entry.path.substr(entry.path.rfind('/') + 1);  // npos + 1 is 0
    std::string path = folder + name;
    for (int copy = 1; plan.contains(path); ++copy) {  // the second with its hash, further copies numbered
      const auto digest = entry.sha256.substr(0, 8);
      path = folder + with_suffix(name, copy == 1 ? digest : fmt::format("{}-{}", digest, copy));
    }
    plan[path] = &entry;
  }
  if (plan.empty())
    return fail(ErrorCode::InvalidArgument, "data set '{}' has no {} image", manifest.name,
                split ? to_string(*split) : "");
  return plan;
}

using Write = std::function<Result<void>(const std::string& path, const std::string& bytes)>;

Result<ExportReport> write_all(const Repository& repository, const Plan& plan, const OnExport& on_progress,
                               const std::atomic<bool>* stop, const Write& write) {
  ExportReport report;
  for (const auto& [path, entry] : plan) {
    if (stop != nullptr && stop->load()) return fail(ErrorCode::Cancelled, "export stopped: nothing was written");
    TRY(const auto bytes, repository.read_object(entry->sha256));
    TRY_VOID(write(path, bytes));
    ++report.files;
    report.bytes += bytes.size();
    if (on_progress) on_progress(report.files, plan.size());
  }
  return report;
}

Result<void> rename_to(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return {};
  return fail(ErrorCode::Internal, "renaming to {}: {}", to.string(), std::strerror(errno));
}

fs::path parent_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

struct ArchiveFree {
  void operator()(archive* handle) const noexcept { archive_write_free(handle); }
};
struct EntryFree {
  void operator()(archive_entry* entry) const noexcept { archive_entry_free(entry); }
};

/// A tar archive being written; its bytes depend on names and contents alone.
class Tar {
 public:
  explicit Tar(const fs::path& path) : path_(path), handle_(archive_write_new()) {}

  Result<void> open() {
    if (archive_write_set_format_pax_restricted(handle_.get()) != ARCHIVE_OK ||
        archive_write_open_filename(handle_.get(), path_.c_str()) != ARCHIVE_OK)
      return failed();
    return {};
  }

  Result<void> add(const std::string& name, const std::string& bytes) {
    const std::unique_ptr<archive_entry, EntryFree> entry(archive_entry_new());
    archive_entry_set_pathname_utf8(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
    archive_entry_set_mtime(entry.get(), 0, 0);
    if (archive_write_header(handle_.get(), entry.get()) != ARCHIVE_OK ||
        archive_write_data(handle_.get(), bytes.data(), bytes.size()) != static_cast<la_ssize_t>(bytes.size()))
      return failed();
    return {};
  }

  Result<void> close() {
    if (archive_write_close(handle_.get()) != ARCHIVE_OK) return failed();
    return {};
  }

 private:
  [[nodiscard]] tl::unexpected<Error> failed() const {
    const char* text = archive_error_string(handle_.get());
    return fail(archive_errno(handle_.get()) == ENOSPC ? ErrorCode::ResourceExhausted : ErrorCode::Internal,
                "writing {}: {}", path_.string(), text != nullptr ? text : "unknown error");
  }

  const fs::path path_;
  std::unique_ptr<archive, ArchiveFree> handle_;
};

Result<ExportReport> export_tar(const fs::path& target, const std::function<Result<ExportReport>(const Write&)>& run) {
  TRY(const auto staging, TemporaryDirectory::create(parent_of(target), "export"));
  const auto file = staging.path() / "export.tar";
  Tar tar(file);
  TRY_VOID(tar.open());
  TRY(const auto report, run([&](const std::string& path, const std::string& bytes) { return tar.add(path, bytes); }));
  TRY_VOID(tar.close());
  TRY_VOID(sync_paths({file}));
  TRY_VOID(rename_to(file, target));
  return report;
}

Result<ExportReport> export_folder(const fs::path& target,
                                   const std::function<Result<ExportReport>(const Write&)>& run) {
  TRY(auto staging, TemporaryDirectory::create(parent_of(target), "export"));
  TRY(const auto report, run([&](const std::string& path, const std::string& bytes) -> Result<void> {
        const auto file = staging.path() / path;
        TRY_VOID(make_directories(file.parent_path()));
        return write_file(file, bytes);
      }));
  TRY_VOID(sync_file_system(staging.path()));
  TRY_VOID(rename_to(staging.path(), target));
  staging.release();
  return report;
}

}  // namespace

Result<ExportReport> export_dataset(const Repository& repository, const Manifest& manifest, std::optional<Split> split,
                                    const fs::path& given, const OnExport& on_progress, const std::atomic<bool>* stop) {
  const auto target = given.has_filename() ? given : given.parent_path();  // "folder/" is "folder"
  TRY(const auto plan, plan_export(manifest, split));
  const bool is_tar = target.extension() == ".tar";
  std::error_code error;
  const bool is_there = fs::exists(fs::symlink_status(target, error));
  if (is_there && (is_tar || !fs::is_directory(target, error) || !fs::is_empty(target, error)))
    return fail(ErrorCode::AlreadyExists, "{} is there already: remove it, or name another place", target.string());
  const auto run = [&](const Write& write) { return write_all(repository, plan, on_progress, stop, write); };
  return is_tar ? export_tar(target, run) : export_folder(target, run);
}

}  // namespace imago::data
