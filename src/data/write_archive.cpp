// SPDX-License-Identifier: Apache-2.0
#include "data/write_archive.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>

#include "base/files.hpp"

namespace imago::data {
namespace {

struct ArchiveFree {
  void operator()(archive* handle) const noexcept { archive_write_free(handle); }
};
struct EntryFree {
  void operator()(archive_entry* entry) const noexcept { archive_entry_free(entry); }
};
using Writer = std::unique_ptr<archive, ArchiveFree>;

tl::unexpected<Error> failed(archive* handle, const fs::path& target) {
  const char* text = archive_error_string(handle);
  const ErrorCode code = archive_errno(handle) == ENOSPC ? ErrorCode::ResourceExhausted : ErrorCode::Internal;
  return fail(code, "writing {}: {}", target.string(), text != nullptr ? text : "unknown error");
}

Result<void> add_file(archive* handle, const fs::path& folder, const std::string& name, const fs::path& target) {
  TRY(const auto content, MappedFile::open(folder / name));
  const auto bytes = content.bytes();
  const std::unique_ptr<archive_entry, EntryFree> entry(archive_entry_new());
  if (!entry) return fail(ErrorCode::ResourceExhausted, "no memory to write {}", target.string());
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
  archive_entry_set_mtime(entry.get(), 0, 0);
  if (archive_write_header(handle, entry.get()) != ARCHIVE_OK) return failed(handle, target);
  std::size_t written = 0;
  while (written < bytes.size()) {
    const la_ssize_t now = archive_write_data(handle, bytes.data() + written, bytes.size() - written);
    if (now <= 0) return failed(handle, target);
    written += static_cast<std::size_t>(now);
  }
  return {};
}

}  // namespace

Result<void> write_tar(const fs::path& folder, std::vector<std::string> files, const fs::path& target) {
  std::sort(files.begin(), files.end());
  const fs::path parent = target.has_parent_path() ? target.parent_path() : fs::path(".");
  TRY(const auto staging, TemporaryDirectory::create(parent, "export"));
  const fs::path unfinished = staging.path() / "archive.tar";
  {
    const Writer writer(archive_write_new());
    if (!writer) return fail(ErrorCode::ResourceExhausted, "no memory to write {}", target.string());
    archive_write_set_format_ustar(writer.get());
    if (archive_write_open_filename(writer.get(), unfinished.c_str()) != ARCHIVE_OK)
      return failed(writer.get(), target);
    for (const auto& name : files) TRY_VOID(add_file(writer.get(), folder, name, target));
    if (archive_write_close(writer.get()) != ARCHIVE_OK) return failed(writer.get(), target);
  }
  std::error_code error;
  fs::rename(unfinished, target, error);
  if (error) return fail(ErrorCode::Internal, "cannot write {}: {}", target.string(), error.message());
  return {};
}

}  // namespace imago::data
