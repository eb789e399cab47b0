// SPDX-License-Identifier: Apache-2.0
// Augmentation to JSON and back.
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "data/augment.hpp"

namespace imago::data {
namespace {

std::string_view to_string(Flip flip) {
  switch (flip) {
    case Flip::None: return "none";
    case Flip::Random: return "random";
    case Flip::Alternating: return "alternating";
  }
  return "none";
}

Result<Flip> flip_from(const std::string& name) {
  for (const Flip flip : {Flip::None, Flip::Random, Flip::Alternating})
    if (name == to_string(flip)) return flip;
  return fail(ErrorCode::InvalidArgument, "augmentation.flip is '{}': none, random or alternating", name);
}

template <class T>
Result<void> read(const json::Value& value, std::string_view key, T least, T most, T& into) {
  auto number = json::get_or<T>(value, key, into);
  if (!number) return pass(number, "augmentation");
  if (!(*number >= least && *number <= most))  // false for nan
    return fail(ErrorCode::InvalidArgument, "augmentation.{} is {}: from {} to {}", key, *number, least, most);
  into = *number;
  return {};
}

Result<void> read_rotation(const json::Value& value, double& into) {
  auto number = json::get_or<double>(value, "rotation", into);
  if (!number) return pass(number, "augmentation");
  if (*number >= 0 && *number <= 0.5) {
    into = *number;
  } else if (*number >= 1 && *number <= 180) {
    into = *number / 360;
  } else {
    return fail(ErrorCode::InvalidArgument,
                "augmentation.rotation is {}: from 0 to 0.5 of a full turn, or 1 to 180 "
                "degrees",
                *number);
  }
  return {};
}

Result<void> check_names(const json::Value& value) {
  std::vector<std::string> known;
  const json::Value complete = to_json(Augmentation{});
  for (const auto& [key, ignored] : complete.items()) known.push_back(key);
  for (const auto& [key, ignored] : value.items())
    if (!complete.contains(key))
      return fail(ErrorCode::InvalidArgument, "augmentation has no setting '{}': there are {}", key,
                  fmt::join(known, ", "));
  return {};
}

}  // namespace

json::Value to_json(const Augmentation& augmentation) {
  return json::Value{{"flip", to_string(augmentation.flip)},
                     {"crop_padding", augmentation.crop_padding},
                     {"rotation", augmentation.rotation},
                     {"zoom", augmentation.zoom},
                     {"brightness", augmentation.brightness},
                     {"contrast", augmentation.contrast},
                     {"saturation", augmentation.saturation},
                     {"hue", augmentation.hue},
                     {"cutout", augmentation.cutout},
                     {"randaugment_operations", augmentation.randaugment_operations},
                     {"randaugment_magnitude", augmentation.randaugment_magnitude},
                     {"mixup", augmentation.mixup},
                     {"cutmix", augmentation.cutmix}};
}

Result<Augmentation> augmentation_from_json(const json::Value& value) {
  if (!value.is_object())
    return fail(ErrorCode::InvalidArgument, "augmentation: expected settings, found {}", json::dump(value));
  TRY_VOID(check_names(value));
  Augmentation augmentation;
  TRY(const auto flip, json::get_or<std::string>(value, "flip", "none"));
  TRY(augmentation.flip, flip_from(flip));
  TRY_VOID(read(value, "crop_padding", 0, 256, augmentation.crop_padding));
  TRY_VOID(read_rotation(value, augmentation.rotation));
  TRY_VOID(read(value, "zoom", 0.0, 0.9, augmentation.zoom));
  TRY_VOID(read(value, "brightness", 0.0, 1.0, augmentation.brightness));
  TRY_VOID(read(value, "contrast", 0.0, 1.0, augmentation.contrast));
  TRY_VOID(read(value, "saturation", 0.0, 1.0, augmentation.saturation));
  TRY_VOID(read(value, "hue", 0.0, 0.5, augmentation.hue));
  TRY_VOID(read(value, "cutout", 0, 4096, augmentation.cutout));
  TRY_VOID(read(value, "randaugment_operations", 0, 16, augmentation.randaugment_operations));
  TRY_VOID(read(value, "randaugment_magnitude", 0, 30, augmentation.randaugment_magnitude));
  TRY_VOID(read(value, "mixup", 0.0, 100.0, augmentation.mixup));
  TRY_VOID(read(value, "cutmix", 0.0, 100.0, augmentation.cutmix));
  return augmentation;
}

}  // namespace imago::data
