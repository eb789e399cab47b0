// SPDX-License-Identifier: Apache-2.0
// What the tests of train/ share: a data set of 20 training and 6 validation images of 4 x 4 pixels.
#pragma once

#include "data/test_data.hpp"
#include "train/loader.hpp"

namespace imago::train::testing {

constexpr int kTrainImages = 20;
constexpr int kValidationImages = 6;

/// Image i has red i everywhere and class i % 2.
class SplitTest : public data::testing::FolderTest {
 protected:
  SplitTest() : repository_(folder() / "datasets") {
    manifest_ = {"set", {"a", "b"}, {}, {}};
    for (int i = 0; i < kTrainImages + kValidationImages; ++i) {
      manifest_.entries.push_back({fmt::format("{:02}", i),
                                   repository_.put_object(data::testing::picture(i, 4, 4)).value(), i % 2,
                                   i < kTrainImages ? data::Split::Train : data::Split::Validation, 4, 4, ""});
    }
  }

  [[nodiscard]] data::PackedSplit open(data::Split split) const {
    return data::open_packed(repository_, manifest_, split, preprocess_, {}).value();
  }

  image::Preprocess preprocess_{.width = 4, .height = 4};
  data::Repository repository_;
  data::Manifest manifest_;
};

}  // namespace imago::train::testing
