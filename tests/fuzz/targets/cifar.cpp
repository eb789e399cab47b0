// SPDX-License-Identifier: Apache-2.0
#include "data/cifar.hpp"

#include "fuzz/target.hpp"

FUZZ_TARGET(cifar) {
  using imago::data::CifarFile;
  static_cast<void>(imago::data::read_cifar_names(CifarFile::BinaryNames, input));
  if (const auto batch = imago::data::read_cifar_batch(CifarFile::BinaryBatch, input))
    EXPECTS(batch->planes.size() == batch->labels.size() * imago::data::kCifarImageBytes, "an image for each label");
}
