// SPDX-License-Identifier: Apache-2.0
#include "package/package.hpp"

#include <algorithm>
#include <cmath>

#include "base/files.hpp"
#include "package/manifest.hpp"
#include "package/npy.hpp"
#include "package/parts.hpp"

namespace imago::package {
namespace {

/// An error inside a package's file: whatever the reader called it, the package is broken.
template <class T>
tl::unexpected<Error> broken(Result<T>& result, std::string_view file) {
  if (result.error().code == ErrorCode::InvalidArgument) result.error().code = ErrorCode::Corrupt;
  return pass(result, file);
}

Result<json::Value> parse_member(const Contents& contents, const std::string& name) {
  auto value = json::parse(contents.at(name));
  if (!value) return broken(value, name);
  if (!value->is_object()) return fail(ErrorCode::Corrupt, "{}: not a JSON object", name);
  return value;
}

Result<std::vector<float>> read_array(const Contents& contents, const std::string& name,
                                      const std::vector<std::int64_t>& shape) {
  auto tensor = decode_npy(as_bytes(contents.at(name)));
  if (!tensor) return broken(tensor, name);
  if (tensor->shape != shape)
    return fail(ErrorCode::Corrupt, "{}: shape [{}], but spec.json needs [{}]", name, fmt::join(tensor->shape, ", "),
                fmt::join(shape, ", "));
  if (!std::all_of(tensor->data.begin(), tensor->data.end(), [](float value) { return std::isfinite(value); }))
    return fail(ErrorCode::Corrupt, "{}: a value is not finite", name);
  return std::move(tensor->data);
}

Result<GoldenSet> read_golden(const Contents& contents, const FileRecords& files, const model::ModelSpec& spec) {
  GoldenSet golden;
  for (int i = 0; i < kGoldenImages; ++i) golden.encoded.push_back(contents.at(golden_image(files, i)));
  const auto& input = spec.graph.input;
  golden.inputs = {kGoldenImages, input.channels, input.height, input.width, {}};
  golden.logits = {kGoldenImages, spec.classes(), {}};
  TRY(golden.inputs.data,
      read_array(contents, "golden/inputs.npy", {kGoldenImages, input.channels, input.height, input.width}));
  TRY(golden.logits.data, read_array(contents, "golden/logits.npy", {kGoldenImages, spec.classes()}));
  return golden;
}

Result<ModelPackage> read_package(const fs::path& folder) {
  TRY(const auto verified, read_verified(folder));
  if (verified.manifest.form != Form::Whole)
    return fail(ErrorCode::Unsupported, "it is in compact form: `imago models import` makes a package of it");
  const Contents& contents = verified.contents;
  ModelPackage package;
  package.folder = folder;
  package.digest = verified.digest;
  TRY(package.spec, read_spec(contents));
  TRY(package.report, parse_member(contents, "report.json"));
  TRY(package.lineage, parse_member(contents, "lineage.json"));
  TRY(package.golden, read_golden(contents, verified.manifest.files, package.spec));
  return package;
}

}  // namespace

Result<model::ModelSpec> read_spec(const Contents& contents) {
  TRY(const auto value, parse_member(contents, "spec.json"));
  auto spec = model::spec_from_json(value);
  if (!spec) return broken(spec, "spec.json");
  return spec;
}

Result<ModelPackage> open_package(const fs::path& folder) {
  auto package = read_package(folder);
  if (!package) return pass(package, "package " + folder.string());
  return package;
}

Result<void> seal_package(const fs::path& staged, const json::Value& report, const json::Value& lineage) {
  if (!report.is_object() || !lineage.is_object())
    return fail(ErrorCode::InvalidArgument, "report and lineage of a package are JSON objects");
  TRY_VOID(write_file(staged / "report.json", json::dump_pretty(report) + "\n"));
  TRY_VOID(write_file(staged / "lineage.json", json::dump_pretty(lineage) + "\n"));
  return write_manifest(staged, Form::Whole);
}

}  // namespace imago::package
