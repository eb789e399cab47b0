// SPDX-License-Identifier: Apache-2.0
#include "data/array_names.hpp"

#include <gmock/gmock.h>

namespace imago::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// "train: x_train + y_train" for each split; or what is wrong.
std::vector<std::string> chosen(const std::vector<std::string>& names) {
  const auto splits = choose_splits(pair_arrays(names));
  if (!splits) return {splits.error().message};
  std::vector<std::string> lines;
  for (const auto& [split, pair] : *splits)
    lines.push_back(fmt::format("{}: {} + {}", to_string(split), pair.pixels, pair.labels));
  return lines;
}

TEST(ArrayNames, FindsThePairsAsPeopleNameThem) {
  EXPECT_THAT(chosen({"y", "x"}), ElementsAre("train: x + y"));
  EXPECT_THAT(chosen({"X", "Y"}), ElementsAre("train: X + Y"));
  EXPECT_THAT(chosen({"x_new", "y_new"}), ElementsAre("train: x_new + y_new"));
  EXPECT_THAT(chosen({"images", "labels", "weights"}), ElementsAre("train: images + labels"));
  EXPECT_THAT(chosen({"data", "target"}), ElementsAre("train: data + target"));
  EXPECT_THAT(chosen({"arr_0", "arr_1"}), ElementsAre("train: arr_0 + arr_1")) << "numpy.savez(file, x, y)";
  EXPECT_THAT(chosen({"X_train", "y_train", "X_test", "y_test"}),
              ElementsAre("train: X_train + y_train", "test: X_test + y_test"));
  EXPECT_THAT(chosen({"Xtrain", "ytrain", "Xval", "yval"}),
              ElementsAre("train: Xtrain + ytrain", "validation: Xval + yval"));
  EXPECT_THAT(chosen({"train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels"}),
              ElementsAre("train: train_images + train_labels", "validation: val_images + val_labels",
                          "test: test_images + test_labels"))
      << "medmnist";
  EXPECT_THAT(chosen({"emnist-training-images", "emnist-training-labels"}),
              ElementsAre("train: emnist-training-images + emnist-training-labels"));
  EXPECT_THAT(chosen({"x", "y", "x_test", "y_test"}), ElementsAre("train: x + y", "test: x_test + y_test"));
  EXPECT_THAT(chosen({"x_train", "y_train", "x_test"}), ElementsAre("train: x_train + y_train"));
}

TEST(ArrayNames, ChoosesTheSurerNameAndTheNamedSplit) {
  EXPECT_THAT(chosen({"data", "images", "target"}), ElementsAre("train: images + target"));
  EXPECT_THAT(chosen({"x", "y", "images", "labels"}), ElementsAre("train: x + y"));
  EXPECT_THAT(chosen({"x_train", "y_train", "x", "y"}), ElementsAre("train: x_train + y_train"));
  EXPECT_THAT(chosen({"x_train", "y_train", "x_new", "y_new"}), ElementsAre("train: x_train + y_train"));
  EXPECT_THAT(chosen({"image_data", "data_labels"}), ElementsAre("train: image_data + data_labels"));
  EXPECT_THAT(chosen({"x", "y", "classes", "label_names"}), ElementsAre("train: x + y"));
}

TEST(ArrayNames, SaysWhatIsMissingOrTooMuch) {
  EXPECT_THAT(chosen({}), ElementsAre(HasSubstr("name the arrays x_train and y_train")));
  EXPECT_THAT(chosen({"weights", "bias"}), ElementsAre(HasSubstr("no images for training")));
  EXPECT_THAT(chosen({"x_test", "y_test"}), ElementsAre(HasSubstr("no images for training")));
  EXPECT_THAT(chosen({"X_train"}), ElementsAre("it has X_train but no y_train"));
  EXPECT_THAT(chosen({"pets_images", "cars_labels"}), ElementsAre("it has pets_images but no pets_labels"));
  EXPECT_THAT(chosen({"a_x", "a_y", "b_x", "b_y"}), ElementsAre("a_x and b_x are both images for training: leave one"));
  EXPECT_FALSE(read_array_name("weights"));
  EXPECT_FALSE(read_array_name("__"));
  EXPECT_THAT(pair_arrays({"labels"}), IsEmpty());
}

}  // namespace
}  // namespace imago::data
