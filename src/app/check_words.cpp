// SPDX-License-Identifier: Apache-2.0
#include "app/check_words.hpp"

#include <algorithm>
#include <array>

namespace imago::app {
namespace {

constexpr std::array kWords{
    CheckWords{"leak_exact", "Same file in two splits",
               "What is measured on these is memory, not skill. Keep each image in one split."},
    CheckWords{"label_conflict", "Same image, different labels",
               "At most one of the labels is right, and the network is taught both."},
    CheckWords{"damaged", "Damaged since the import",
               "The file on disk is no longer what was imported. Restore it from its source and import again."},
    CheckWords{"leak_near", "Same picture in two splits",
               "As the same file in two splits, but saved anew, resized or lightly cropped. Importing with "
               "--group-duplicates keeps such images on one side."},
    CheckWords{"suspicious_label", "Labels that are probably wrong",
               "Networks that had not seen these images give their labels little chance. Worst first; look before you "
               "change anything."},
    CheckWords{"refused", "Files the import did not take",
               "They are not part of the data set. Repair or remove them at the source."},
    CheckWords{"duplicate_exact", "Same file more than once", "Each copy makes the image count more. One is enough."},
    CheckWords{"duplicate_near", "Same picture more than once",
               "Often frames of one series, or one photograph saved twice."},
    CheckWords{"class_missing", "Classes without images in a split",
               "What has no image in a split is neither learned nor measured there."},
    CheckWords{
        "class_imbalance", "Few images of some classes",
        "Accuracy will mostly tell of the large classes: look at each class, or collect more of the small ones."},
    CheckWords{"blank", "Blank images", "There is nothing to learn from them."},
    CheckWords{"tiny", "Tiny images",
               "They are enlarged for the network; thumbnails taken for images are a usual cause."},
    CheckWords{"odd_aspect", "Very long or very tall images", "Made square, they are distorted or lose their ends."},
    CheckWords{"brightness", "Very dark or very bright images",
               "Under- or overexposed; does the camera give such in use?"},
    CheckWords{"huge", "Huge images", "They cost time at every first pass; the network sees a reduced copy anyway."},
    CheckWords{"gray", "Images without colour",
               "Harmless unless one class has more of them than others: colour then gives it "
               "away."},
    CheckWords{"cmyk", "Images for print", "Their colours may differ from what others show; save them as RGB."},
    CheckWords{"alpha", "Images with transparency", "What is transparent is white here; other programs take black."},
    CheckWords{"wrong_type", "Files named for another type",
               "They were read by their bytes; other programs may go by the name."}};

}  // namespace

CheckWords words_of(std::string_view check) {
  const auto* found = std::find_if(kWords.begin(), kWords.end(), [&](const CheckWords& w) { return w.check == check; });
  return found == kWords.end() ? CheckWords{check, check, ""} : *found;
}

}  // namespace imago::app
