// SPDX-License-Identifier: Apache-2.0
#include "fuzz/target.hpp"
#include "package/manifest.hpp"

FUZZ_TARGET(package_manifest) {
  const auto files = imago::package::decode_manifest(input);
  if (!files) return;
  static_cast<void>(imago::package::check_complete(*files));
  const auto again = imago::package::decode_manifest(imago::package::encode_manifest(*files));
  EXPECTS(again && *again == *files, "what was read can be written and read again");
}
