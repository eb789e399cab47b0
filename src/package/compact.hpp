// SPDX-License-Identifier: Apache-2.0
// The compact form of a package, for sending and keeping: weights rounded to float16, and nothing that follows from
// the rest. docs/formats/package.md.
//
//   weights.safetensors  spec.json  golden/{0..7.jpg|png|...,logits.npy}  report.json  lineage.json  manifest.json
#pragma once

#include <filesystem>
#include <functional>

#include "base/error.hpp"
#include "package/package.hpp"

namespace imago::package {

/// Writes `folder`/model.onnx from spec.json and weights.safetensors there. Who links the ONNX writer is another
/// program.
using WriteNetwork = std::function<Result<void>(const std::filesystem::path& folder)>;

/// Makes the classifier of the model.onnx in `package.folder`.
using LoadNetwork = std::function<Result<std::unique_ptr<model::Classifier>>(const ModelPackage& package)>;

/// Whether the manifest in `folder` says that this is one; not whether it is sound.
bool is_compact(const std::filesystem::path& folder);

/// Writes the compact form of `package` into `folder`, which is empty: golden/logits.npy is what the network with the
/// rounded weights answers, the report says "stored": "float16". The same package gives the same bytes.
Result<void> write_compact(const ModelPackage& package, const std::filesystem::path& folder,
                           const WriteNetwork& write_network, const LoadNetwork& load_network);

/// Makes a whole package of the compact one in `folder`: weights as float32, model.onnx, golden/inputs.npy, another
/// manifest; the rest stays byte for byte. The same compact package gives the same whole one; open_package and
/// verify_golden judge it. Corrupt naming what is missing, extra, altered or broken; `folder` is then of no use.
Result<void> expand_compact(const std::filesystem::path& folder, const WriteNetwork& write_network);

}  // namespace imago::package
