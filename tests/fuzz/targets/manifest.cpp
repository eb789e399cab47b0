// SPDX-License-Identifier: Apache-2.0
#include "data/manifest.hpp"

#include "fuzz/target.hpp"

FUZZ_TARGET(manifest) {
  static_cast<void>(imago::data::decode_manifest_header(imago::fuzz::first_line(input).first));
  const auto manifest = imago::data::decode_manifest(input);
  if (!manifest) return;
  for (const auto& entry : manifest->entries)
    EXPECTS(imago::data::is_safe_path(entry.path), "no path leads out of the data set");
  const auto again = imago::data::decode_manifest(imago::data::encode_manifest(*manifest));
  EXPECTS(again && imago::data::version_of(*again) == imago::data::version_of(*manifest),
          "what was read can be written and read again");
}
