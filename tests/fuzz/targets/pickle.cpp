// SPDX-License-Identifier: Apache-2.0
#include "data/pickle.hpp"

#include "data/cifar.hpp"
#include "fuzz/target.hpp"

FUZZ_TARGET(pickle) {
  using imago::data::CifarFile;
  static_cast<void>(imago::data::Pickle::read(input));
  static_cast<void>(imago::data::read_cifar_names(CifarFile::PythonNames, input));
  if (const auto batch = imago::data::read_cifar_batch(CifarFile::PythonBatch, input))
    EXPECTS(batch->planes.size() == batch->labels.size() * imago::data::kCifarImageBytes, "an image for each label");
}
