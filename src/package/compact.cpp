// SPDX-License-Identifier: Apache-2.0
#include "package/compact.hpp"

#include "base/files.hpp"
#include "model/safetensors.hpp"
#include "package/manifest.hpp"
#include "package/parts.hpp"

namespace imago::package {
namespace {

/// weights.safetensors of one folder as that of another, or of the same.
Result<void> rewrite_weights(const fs::path& from, const fs::path& to, model::Storage storage) {
  model::Metadata metadata;
  TRY(const auto weights, model::read_safetensors(from / "weights.safetensors", &metadata));
  return write_file(to / "weights.safetensors", model::encode_safetensors(weights, metadata, storage));
}

Result<void> remove_file(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) return fail(ErrorCode::Internal, "removing {}: {}", path.string(), error.message());
  return {};
}

Result<void> write_inputs(const fs::path& folder, const VerifiedFiles& files, const image::Preprocess& preprocess) {
  const auto pixels = static_cast<std::uint64_t>(preprocess.width) * static_cast<std::uint64_t>(preprocess.height);
  if (pixels * 3 * sizeof(float) * kGoldenImages > kMaxInputBytes)
    return fail(ErrorCode::ResourceExhausted, "golden inputs of {} x {} pixels would have more than {} bytes",
                preprocess.width, preprocess.height, kMaxInputBytes);
  std::vector<std::string> encoded;
  for (int i = 0; i < kGoldenImages; ++i) encoded.push_back(files.contents.at(golden_image(files.manifest.files, i)));
  TRY(const auto inputs, make_inputs(encoded, preprocess));
  return write_file(folder / "golden" / "inputs.npy", encode_inputs(inputs));
}

Result<void> expand(const fs::path& folder, const WriteNetwork& write_network) {
  TRY(const auto files, read_verified(folder));
  if (files.manifest.form != Form::Compact) return fail(ErrorCode::InvalidArgument, "it is not in compact form");
  TRY(const auto spec, read_spec(files.contents));
  TRY_VOID(write_inputs(folder, files, spec.preprocess));
  TRY_VOID(rewrite_weights(folder, folder, model::Storage::Float32));
  TRY_VOID(write_network(folder));
  return write_manifest(folder, Form::Whole);
}

}  // namespace

bool is_compact(const fs::path& folder) {
  std::error_code error;
  const fs::path path = folder / "manifest.json";
  if (fs::symlink_status(path, error).type() != fs::file_type::regular) return false;
  const auto manifest = read_file(path, kMaxManifestBytes).and_then(decode_manifest);
  return manifest && manifest->form == Form::Compact;
}

Result<void> write_compact(const ModelPackage& package, const fs::path& folder, const WriteNetwork& write_network,
                           const LoadNetwork& load_network) {
  TRY_VOID(rewrite_weights(package.folder, folder, model::Storage::Float16));
  TRY_VOID(write_file(folder / "spec.json", json::dump_pretty(model::to_json(package.spec)) + "\n"));
  TRY_VOID(write_network(folder));
  ModelPackage rounded = package;
  rounded.folder = folder;
  {
    TRY(const auto classifier, load_network(rounded));
    TRY_VOID(write_spec_and_golden(folder, package.spec, package.golden.encoded, *classifier));
  }
  TRY_VOID(remove_file(rounded.onnx_path()));
  TRY_VOID(remove_file(folder / "golden" / "inputs.npy"));
  json::Value report = package.report;
  report["stored"] = "float16";
  TRY_VOID(write_file(folder / "report.json", json::dump_pretty(report) + "\n"));
  TRY_VOID(write_file(folder / "lineage.json", json::dump_pretty(package.lineage) + "\n"));
  return write_manifest(folder, Form::Compact);
}

Result<void> expand_compact(const fs::path& folder, const WriteNetwork& write_network) {
  auto done = expand(folder, write_network);
  if (!done) return pass(done, "compact package " + folder.string());
  return done;
}

}  // namespace imago::package
