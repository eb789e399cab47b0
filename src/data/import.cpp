// SPDX-License-Identifier: Apache-2.0
#include "data/import.hpp"

#include <algorithm>
#include <thread>

#include "data/checkers.hpp"
#include "data/intake.hpp"
#include "data/layout.hpp"
#include "data/near_groups.hpp"
#include "data/row_table.hpp"
#include "data/source.hpp"
#include "data/staging.hpp"
#include "data/version_files.hpp"

namespace imago::data {
namespace {

Result<void> check_request(const ImportRequest& request) {
  TRY_VOID(check_name(request.name));
  const auto& [validation, test] = request.ratios;
  if (!(validation >= 0 && test >= 0 && validation + test < 1))
    return fail(ErrorCode::InvalidArgument,
                "split ratios {} for validation and {} for test: each at least 0, together below 1", validation, test);
  return {};
}

int thread_count(int asked) {
  return asked > 0 ? asked : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// Cuts validation and test off the training images, where the source has none of its own.
Result<void> assign_splits(RowTable& table, const ImportRequest& request, FingerprintFile* prints,
                           const std::atomic<bool>* stop) {
  auto groups = prints == nullptr ? Result<NearGroups>(NearGroups()) : prints->find_groups(stop);
  if (!groups) return pass(groups);
  TRY(const bool has_test, table.has(Split::Test));
  TRY(const bool has_validation, table.has(Split::Validation));
  Splitter splitter(
      {.validation = has_validation ? 0.0 : request.ratios.validation, .test = has_test ? 0.0 : request.ratios.test},
      request.seed);
  return table.assign(*groups, [&](const ClassContents& contents) { return splitter.split(contents); });
}

/// The version's files from the rows; the report but for `was_there`.
Result<ImportReport> write_version(RowTable& table, const ImportRequest& request, Layout layout,
                                   const std::filesystem::path& folder, const std::atomic<bool>* stop) {
  std::error_code error;
  const auto source = std::filesystem::weakly_canonical(request.source, error).filename().string();
  ImportReport report;
  report.labels = std::move(layout.labels);
  report.kept = table.kept();
  TRY(auto files, VersionFiles::create(folder, {request.name, report.labels, {}, report.kept}));
  const auto add_entry = [&](Entry& entry) -> Result<void> {
    TRY_VOID(check_stop(stop));
    entry.source = source;
    auto& row = report.counts[entry.split];
    row.resize(report.labels.size());
    ++row[static_cast<std::size_t>(entry.label)];
    return files.add(entry);
  };
  TRY_VOID(table.each_entry(layout.skip, add_entry));
  TRY_VOID(table.each_refusal([&](std::string_view path, std::string_view reason) {
    report.refused.add(path, reason);
    return files.add_refused(path, reason);
  }));
  const auto add_fixed = [&](std::string_view path, unsigned remarks) -> Result<void> {
    ++report.fixed_files;
    for (const auto& text : remark_texts(remarks)) {
      report.fixed.add(path, text);
      TRY_VOID(files.add_fixed(path, text));
    }
    return {};
  };
  TRY_VOID(table.each_remark(add_fixed));
  TRY(report.version, files.finish());
  return report;
}

}  // namespace

void Reasons::add(std::string_view path, std::string_view reason) {
  ++count;
  kinds.add(reason);
  if (first.size() < kNamed) first.push_back({std::string(path), std::string(reason)});
}

std::map<Split, std::vector<std::size_t>> count_images(const Manifest& manifest) {
  std::map<Split, std::vector<std::size_t>> counts;
  for (const auto& entry : manifest.entries) {
    auto& row = counts[entry.split];
    row.resize(manifest.labels.size());
    ++row[static_cast<std::size_t>(entry.label)];
  }
  return counts;
}

Result<ImportReport> import_dataset(Repository& repository, const ImportRequest& request,
                                    const OnImportProgress& on_progress, const std::atomic<bool>* stop) {
  TRY_VOID(check_request(request));
  std::error_code error;
  if (!fs::exists(request.source, error))
    return fail(ErrorCode::NotFound, "{}: no such file or folder", request.source.string());
  TRY(auto staging, Staging::open(repository));
  TRY(const auto table, RowTable::create(staging.folder()));
  std::unique_ptr<FingerprintFile> prints;
  if (request.group_duplicates) {
    TRY(prints, FingerprintFile::create(staging.folder()));
  }
  Checkers checkers(staging, *table, prints.get(), thread_count(request.threads));
  Intake intake(checkers, *table, on_progress, stop);
  const auto read =
      read_source(request.source, kImportLimits, [&](SourceItem item) { return intake.take(std::move(item)); });
  TRY_VOID(checkers.finish());
  if (!read) return tl::unexpected<Error>(read.error());
  intake.report(1, 1);

  auto layout = intake.lay_out();
  if (!layout) return pass(layout, request.source.string());
  TRY_VOID(table->lay_out(intake.places()));
  TRY_VOID(assign_splits(*table, request, prints.get(), stop));
  TRY_VOID(check_stop(stop));

  const auto files = staging.folder() / "version";
  TRY(auto report, write_version(*table, request, std::move(*layout), files, stop));
  TRY_VOID(check_stop(stop));
  TRY(report.was_there, staging.publish_files(request.name, report.version, files));
  return report;
}

}  // namespace imago::data
