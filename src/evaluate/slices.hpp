// SPDX-License-Identifier: Apache-2.0
// Where a model is weak: its accuracy on parts of a split that share a property.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "data/manifest.hpp"
#include "data/packed.hpp"
#include "evaluate/metrics.hpp"
#include "evaluate/predictions.hpp"
#include "json/json.hpp"

namespace imago::evaluate {

/// A property of each image of a split, as a few values.
struct Column {
  std::string name;                 ///< "brightness"
  std::vector<std::string> values;  ///< in their natural order: "0 to 71", "72 to 98", ...
  std::vector<int> value_of;        ///< of each image, an index into values
};

/// The names that split_column knows: class, brightness, size, aspect, width, height, source, folder.
std::vector<std::string> slice_columns();

/// Those that a report has unless others are asked for.
inline constexpr std::array kUsualColumns{"class", "brightness", "size", "aspect", "source"};

/// `brightness` is the mean luma (BT.601, 0 to 255) of the image as the model sees it; `size` is width * height and
/// `aspect` width / height of the file; `folder` is the path without its last part. InvalidArgument, listing the
/// columns, for another name.
Result<Column> split_column(const std::string& name, const data::PackedSplit& split, const data::Manifest& manifest);

/// Numbers of more than six different values are cut into fifths of about as many images; equal numbers never fall into
/// different parts. @param numbers not empty. @param unit follows each: " px".
Column number_column(const std::string& name, std::span<const double> numbers, int decimals,
                     const std::string& unit = {});

/// In alphabetical order; beyond the hundred most frequent, values are "(others)".
Column text_column(const std::string& name, const std::vector<std::string>& texts);

struct Slice {
  std::string column;
  std::string value;
  std::int64_t n = 0;
  std::int64_t correct = 0;
  double accuracy = 0.0;
  Interval interval;  ///< Wilson, 95 %
};

/// The slices of all columns that have two values or more, worst first: by the upper end of the interval, so that two
/// images that are wrong do not come before a hundred of which half are.
/// @param answers one an image of the columns.
std::vector<Slice> measure_slices(std::span<const Column> columns, std::span<const Answer> answers);

json::Value to_json(std::span<const Slice> slices);

}  // namespace imago::evaluate
