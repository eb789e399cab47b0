// SPDX-License-Identifier: Apache-2.0
#include "data/pickle.hpp"

#include "data/cifar.hpp"
#include "fuzz/target.hpp"

FUZZ_TARGET(pickle) {
  using Holds = imago::data::CifarFile::Holds;
  static_cast<void>(imago::data::Pickle::read(input));
  for (const int classes : {10, 100}) {
    static_cast<void>(imago::data::read_cifar_names({Holds::Names, true, classes}, input));
    const auto batch = imago::data::read_cifar_batch({Holds::Images, true, classes}, input);
    if (!batch) continue;
    for (std::size_t i = 0; i < batch->labels.size(); ++i)
      EXPECTS(batch->image(i).size() == imago::data::kCifarImageBytes, "an image for each label");
  }
}
