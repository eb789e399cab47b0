// SPDX-License-Identifier: Apache-2.0
#include "app/local_files.hpp"

#include <algorithm>

#include "base/files.hpp"
#include "data/aliases.hpp"

namespace imago::app {
namespace {

constexpr std::size_t kShown = 10;

/// Files to be sent in, mapped into memory, each under the name that tells its class.
class LocalFiles {
 public:
  /// Adds a file, or everything below a folder.
  Result<void> add(const std::string& path, const std::vector<std::string>& labels);

  /// Gives every file this label.
  void set_label(const std::string& label) {
    for (auto& file : files_) file.label = label;
  }

  /// Valid as long as this object.
  [[nodiscard]] const std::vector<data::IncomingFile>& files() const { return files_; }
  /// What was passed over: hidden files and what cannot be read.
  [[nodiscard]] const std::vector<data::Refusal>& skipped() const { return skipped_; }

 private:
  Result<void> add_file(const fs::path& path, std::string name);

  std::vector<MappedFile> open_;
  std::vector<data::IncomingFile> files_;
  std::vector<data::Refusal> skipped_;
};

/// "1.jpg", or "cat/1.jpg" when the file's folder is a class.
std::string name_of(const fs::path& file, const std::vector<std::string>& labels) {
  std::error_code error;
  const auto folder = fs::absolute(file, error).lexically_normal().parent_path().filename().string();
  const bool is_class = data::resolve_label(folder, labels, data::default_aliases(labels)).has_value();
  return (is_class ? folder + "/" : "") + file.filename().string();
}

bool is_hidden(const std::string& path) { return path.starts_with('.') || path.find("/.") != std::string::npos; }

Result<void> LocalFiles::add_file(const fs::path& path, std::string name) {
  if (files_.size() >= data::kMaxUploadFiles)
    return fail(ErrorCode::InvalidArgument,
                "more than {} files: nothing was taken; add them in parts, or use `imago data import`",
                data::kMaxUploadFiles);
  auto file = MappedFile::open(path);
  if (!file) {
    skipped_.push_back({path.string(), file.error().message});
    return {};
  }
  open_.push_back(std::move(*file));
  files_.push_back({.name = std::move(name), .label = {}, .bytes = as_text(open_.back().bytes())});
  return {};
}

Result<void> LocalFiles::add(const std::string& path, const std::vector<std::string>& labels) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) return fail(ErrorCode::NotFound, "no file or folder {}", path);
  if (!fs::is_directory(status)) {
    auto file = MappedFile::open(path);  // what was named itself must be readable
    if (!file) return pass(file);
    return add_file(path, name_of(path, labels));
  }
  std::vector<fs::path> found;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (!it->is_directory()) found.push_back(it->path());
  }
  if (error) return fail(ErrorCode::InvalidArgument, "reading {}: {}", path, error.message());
  if (found.empty()) return fail(ErrorCode::InvalidArgument, "{} has no files in it", path);
  std::sort(found.begin(), found.end());
  for (const auto& file : found) {
    auto name = file.lexically_relative(path).generic_string();
    if (is_hidden(name)) {
      skipped_.push_back({file.string(), "a hidden file"});
      continue;
    }
    TRY_VOID(add_file(file, name.find('/') == std::string::npos ? name_of(file, labels) : std::move(name)));
  }
  return {};
}

}  // namespace

Result<data::UploadReport> take_in(data::Uploads& uploads, const std::vector<std::string>& paths,
                                   const std::vector<std::string>& labels, const std::string& label) {
  LocalFiles local;
  for (const auto& path : paths) TRY_VOID(local.add(path, labels));
  if (!label.empty()) local.set_label(label);
  TRY(auto report, uploads.add(local.files(), labels));
  report.rejected.insert(report.rejected.end(), local.skipped().begin(), local.skipped().end());
  return report;
}

std::string in_words(const data::UploadReport& report) {
  const auto unlabelled = std::count_if(report.accepted.begin(), report.accepted.end(),
                                        [](const data::Upload& upload) { return upload.label.empty(); });
  std::string text;
  for (const auto& use : report.aliases)
    text += fmt::format("'{}' was taken for {}: {} images\n", use.given, use.label, use.files);
  for (std::size_t i = 0; i < std::min(report.rejected.size(), kShown); ++i)
    text += fmt::format("refused {}: {}\n", report.rejected[i].path, report.rejected[i].reason);
  if (report.rejected.size() > kShown) text += fmt::format("and {} more refused\n", report.rejected.size() - kShown);
  text += fmt::format("{} images taken, {} files refused\n", report.accepted.size(), report.rejected.size());
  if (unlabelled > 0)
    text +=
        fmt::format("{} have no label yet: imago data uploads --unlabelled; imago data label ID LABEL\n", unlabelled);
  return text;
}

}  // namespace imago::app
