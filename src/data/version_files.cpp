// SPDX-License-Identifier: Apache-2.0
#include "data/version_files.hpp"

#include "base/files.hpp"

namespace imago::data {
namespace {

std::string line_of(std::string_view path, std::string_view reason) {
  return json::dump(json::Value{{"path", path}, {"reason", reason}}) + '\n';
}

}  // namespace

Result<VersionFiles> VersionFiles::create(const fs::path& folder, const ManifestHeader& header) {
  TRY_VOID(make_directories(folder));
  TRY(auto manifest, LineFile::create(folder / "manifest.jsonl"));
  TRY(auto refused, LineFile::create(folder / "refused.jsonl"));
  TRY(auto fixed, LineFile::create(folder / "fixed.jsonl"));
  TRY_VOID(manifest.write(encode_header(header) + '\n'));
  return VersionFiles(header, std::move(manifest), std::move(refused), std::move(fixed));
}

Result<void> VersionFiles::add(const Entry& entry) {
  ++added_;
  hash_.add(entry);
  return manifest_.write(encode_row(entry) + '\n');
}

Result<void> VersionFiles::add_refused(std::string_view path, std::string_view reason) {
  return refused_.write(line_of(path, reason));
}

Result<void> VersionFiles::add_fixed(std::string_view path, std::string_view reason) {
  return fixed_.write(line_of(path, reason));
}

Result<std::string> VersionFiles::finish() {
  EXPECTS(added_ == expected_, "as many rows as the header says");
  TRY_VOID(manifest_.close());
  TRY_VOID(refused_.close());
  TRY_VOID(fixed_.close());
  return hash_.finish();
}

}  // namespace imago::data
