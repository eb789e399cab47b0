// SPDX-License-Identifier: Apache-2.0
// The step that makes uploads part of a data set. Its order is: objects and manifest on disk, then the rows, then the
// uploads' own files go. Whenever it is cut off, doing it again ends in the same place.
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "data/aliases.hpp"
#include "data/staging.hpp"
#include "data/upload_rows.hpp"
#include "data/uploads.hpp"
#include "image/decode.hpp"
#include "json/json.hpp"

namespace imago::data {
namespace {

/// Of new images of a class. Fewer than these all train: one image sent in to be learned must not end up as the one in
/// ten that is held back.
constexpr std::size_t kValidationOneIn = 10;

/// An upload with the label it has in the data set.
struct Candidate {
  Upload upload;
  int label = 0;
};

std::string extension_of(image::Format format) {
  return format == image::Format::Jpeg ? "jpg" : std::string(image::to_string(format));
}

/// Chance, but always the same for the same content.
bool is_for_validation(const std::string& sha256) {
  return std::stoul(sha256.substr(0, 8), nullptr, 16) % kValidationOneIn == 0;
}

Result<std::vector<Candidate>> find_candidates(store::Database& database, const Manifest& manifest,
                                               std::vector<std::string> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  const auto aliases = default_aliases(manifest.labels);
  std::vector<Candidate> candidates;
  for (const auto& id : ids) {
    TRY(auto upload, find_upload(database, id));
    if (!upload) return fail(ErrorCode::NotFound, "no upload '{}': it was never sent, or removed", id);
    if (!upload->dataset.empty() && !upload->dataset.starts_with(manifest.name + "@"))
      return fail(ErrorCode::InvalidArgument, "upload '{}' was used for {} already", id, upload->dataset);
    if (upload->label.empty())
      return fail(ErrorCode::InvalidArgument, "upload '{}' ({}) has no label yet: give it one", id, upload->name);
    const auto label = resolve_label(upload->label, manifest.labels, aliases);
    if (!label)
      return fail(ErrorCode::InvalidArgument, "upload '{}' ({}) is labelled '{}', but data set '{}' has {}", id,
                  upload->name, upload->label, manifest.name, fmt::join(manifest.labels, ", "));
    const auto index = std::find(manifest.labels.begin(), manifest.labels.end(), *label) - manifest.labels.begin();
    candidates.push_back({std::move(*upload), static_cast<int>(index)});
  }
  return candidates;
}

/// The rows of the parent by content and by path, and those that are added to them.
class Rows {
 public:
  explicit Rows(Manifest& manifest) : manifest_(manifest) {
    for (const auto& entry : manifest.entries) {
      note(entry);
      has_validation_ = has_validation_ || entry.split == Split::Validation;
    }
  }

  /// Whether a row has this upload's name already, from an earlier try.
  [[nodiscard]] bool has(const std::string& path) const { return paths_.contains(path); }

  /// Why content may not be added; empty when it may.
  [[nodiscard]] std::string objection(const std::string& digest) const {
    const auto found = contents_.find(digest);
    if (found == contents_.end()) return {};
    const auto& [path, split, label] = found->second;
    if (split == Split::Test) return fmt::format("it is in the test split ({}), which training must not see", path);
    return fmt::format("it is in the data set already, as {} ({})", manifest_.labels[static_cast<std::size_t>(label)],
                       path);
  }

  void add(const Candidate& candidate, std::string path) {
    const auto& upload = candidate.upload;
    added_.push_back(
        {std::move(path), upload.sha256, candidate.label, Split::Train, upload.width, upload.height, "upload"});
    note(added_.back());
  }

  /// Puts what was added among the manifest's rows; false when nothing was.
  bool merge() {
    if (added_.empty()) return false;
    if (has_validation_) hold_back();
    manifest_.entries.insert(manifest_.entries.end(), added_.begin(), added_.end());
    std::sort(manifest_.entries.begin(), manifest_.entries.end(),
              [](const Entry& a, const Entry& b) { return a.path < b.path; });
    return true;
  }

 private:
  struct Known {
    std::string path;
    Split split;
    int label;
  };

  void note(const Entry& entry) {
    paths_[entry.path] = entry.sha256;
    const auto [place, is_new] = contents_.try_emplace(entry.sha256, Known{entry.path, entry.split, entry.label});
    if (!is_new && entry.split == Split::Test) place->second = {entry.path, entry.split, entry.label};
  }

  /// Of the classes with enough that is new, about one in kValidationOneIn goes to validation.
  void hold_back() {
    std::map<int, std::size_t> of_class;
    for (const auto& entry : added_) ++of_class[entry.label];
    for (auto& entry : added_) {
      if (of_class[entry.label] >= kValidationOneIn && is_for_validation(entry.sha256)) entry.split = Split::Validation;
    }
  }

  Manifest& manifest_;
  std::map<std::string, std::string> paths_;
  std::map<std::string, Known> contents_;
  std::vector<Entry> added_;
  bool has_validation_ = false;
};

/// One transaction: the uploads are used, and the version is known.
Result<void> record(store::Database& database, const Extension& extension, const std::vector<Candidate>& candidates) {
  const auto& manifest = extension.manifest;
  const auto reference = manifest.name + "@" + extension.version;
  return database.transaction([&](store::Database& inside) -> Result<void> {
    for (const auto& [upload, label] : candidates)
      if (upload.dataset.empty())
        TRY_VOID(
            inside.execute("UPDATE uploads SET state = 'used', dataset = :a WHERE id = :b", {reference, upload.id}));
    TRY(const auto known, inside.query("SELECT version FROM dataset_versions WHERE dataset = :a AND version = :b",
                                       {manifest.name, extension.version}));
    if (!known.empty()) return {};
    const json::Value summary{{"images", manifest.entries.size()},
                              {"classes", manifest.labels.size()},
                              {"added", extension.added},
                              {"refused", extension.refused.size()}};
    TRY_VOID(inside.execute(
        "INSERT INTO dataset_versions (dataset, version, parent, created, source, summary) "
        "VALUES (:a, :b, :c, :d, 'uploads', :e)",
        {manifest.name, extension.version, manifest.parent, format_utc(system_clock().wall()), json::dump(summary)}));
    return {};
  });
}

}  // namespace

Result<Extension> extend_dataset(Repository& repository, Uploads& uploads, const std::string& dataset,
                                 const std::vector<std::string>& ids) {
  TRY(auto staging, Staging::open(repository, true));  // from here on the newest version stays the newest
  Extension extension;
  TRY(extension.manifest, repository.load(dataset));
  extension.version = version_of(extension.manifest);
  TRY(const auto candidates, find_candidates(uploads.database_, extension.manifest, ids));
  Rows rows(extension.manifest);
  for (const auto& candidate : candidates) {
    const auto& upload = candidate.upload;
    auto bytes = upload.dataset.empty() ? uploads.read(upload.id) : repository.read_object(upload.sha256);
    if (!bytes) return pass(bytes, fmt::format("upload {} ({})", upload.id, upload.name));
    TRY(const auto probe, image::probe(as_bytes(*bytes)));
    auto path = fmt::format("uploads/{}.{}", upload.id, extension_of(probe.format));
    if (rows.has(path)) {
      ++extension.added;
    } else if (auto objection = rows.objection(upload.sha256); !objection.empty()) {
      extension.refused.push_back({upload.name, std::move(objection)});
    } else {
      TRY_VOID(staging.put(*bytes));
      rows.add(candidate, std::move(path));
      ++extension.added;
    }
  }
  if (rows.merge()) {
    extension.manifest.parent = std::exchange(extension.version, version_of(extension.manifest));
    bool was_there = false;
    TRY_VOID(staging.publish(extension.manifest, extension.refused, was_there));
  }
  TRY_VOID(record(uploads.database_, extension, candidates));
  std::error_code ignored;  // the data set has its bytes; a file that stays is swept away one day
  for (const auto& candidate : candidates) fs::remove(uploads.folder_ / candidate.upload.id, ignored);
  return extension;
}

}  // namespace imago::data
