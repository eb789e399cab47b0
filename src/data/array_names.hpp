// SPDX-License-Identifier: Apache-2.0
// Inside data/: what people call arrays of images and of their labels, and which two belong together.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "data/manifest.hpp"

namespace imago::data {

/// What a name says. Words stand between other characters than letters and digits; upper and lower case are the same.
struct ArrayName {
  bool labels = false;         ///< y, labels, label, targets, target; else pixels: x, images, ..., data
  std::optional<Split> split;  ///< train, training; val, valid, validation; test, testing
  std::string rest;            ///< its other words, with '_' between: what two arrays must share
  std::size_t rank = 0;        ///< among the words for the same: that of the lower is meant where there are two
  std::string partner;         ///< what the array it needs may be called: "y_train" for "x_train"
};

/// Nothing when no word in it is one for pixels or labels. numpy.savez's own arr_0 and arr_1 are pixels and labels.
std::optional<ArrayName> read_array_name(std::string_view name);

/// True for arrays that list the classes: class_names, label_names, classes.
bool names_classes(std::string_view name);

struct ArrayPair {
  std::string pixels, labels;  ///< names as given; labels may be empty: there are none
  ArrayName meaning;           ///< of the pixels
};

/// The arrays of pixels among `names`, each with its labels: same split, same rest.
std::vector<ArrayPair> pair_arrays(const std::vector<std::string>& names);

/// Those that make a data set: one for training, and what validation and test images go with it. InvalidArgument,
/// naming what is missing or too much, when there is not just one such set.
Result<std::vector<std::pair<Split, ArrayPair>>> choose_splits(const std::vector<ArrayPair>& pairs);

}  // namespace imago::data
