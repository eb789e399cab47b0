// SPDX-License-Identifier: Apache-2.0
#include "fuzz/target.hpp"
#include "package/manifest.hpp"

FUZZ_TARGET(package_manifest) {
  const auto manifest = imago::package::decode_manifest(input);
  if (!manifest) return;
  static_cast<void>(imago::package::check_complete(*manifest));
  const auto again = imago::package::decode_manifest(imago::package::encode_manifest(*manifest));
  EXPECTS(again && *again == *manifest, "what was read can be written and read again");
}
