// SPDX-License-Identifier: Apache-2.0
// The plain files of CIFAR-10 and CIFAR-100, and what a name and first bytes make a file.
#include "data/cifar.hpp"

#include "fuzz/target.hpp"

FUZZ_TARGET(cifar) {
  using Holds = imago::data::CifarFile::Holds;
  const auto [name, rest] = imago::fuzz::first_line(input);
  static_cast<void>(imago::data::cifar_file(name, rest));
  for (const int classes : {10, 100}) {
    static_cast<void>(imago::data::read_cifar_names({Holds::Names, false, classes}, input));
    const auto batch = imago::data::read_cifar_batch({Holds::Images, false, classes}, input);
    if (!batch) continue;
    for (std::size_t i = 0; i < batch->labels.size(); ++i)
      EXPECTS(batch->image(i).size() == imago::data::kCifarImageBytes && batch->labels[i] < classes,
              "an image and a class for each label");
  }
}
