// SPDX-License-Identifier: Apache-2.0
// Inside data/: what an import says about the files it takes not quite as they lie, and how reasons are counted.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.hpp"

namespace imago::data {

/// One bit each.
enum Remark : unsigned {
  kTurned = 1,      ///< EXIF rotation
  kOtherType = 2,   ///< the file's ending names another format than its bytes
  kCmyk = 4,        ///< converted to RGB
  kDeep = 8,        ///< 16 bits made 8
  kFirstFrame = 16  ///< of an animation
};

/// "cat.JPG" has, whatever its bytes are.
bool has_image_ending(std::string_view path);

/// What is to be said of an image that decodes.
unsigned remarks_on(std::string_view path, Bytes encoded);

/// "turned as its EXIF data says", and so on.
std::vector<std::string> remark_texts(unsigned remarks);

/// Counts reasons by their kind: "broken PNG: CRC error" is a "broken PNG".
class ReasonCounts {
 public:
  static constexpr std::size_t kMostKinds = 50;
  void add(std::string_view reason);
  [[nodiscard]] const std::map<std::string, std::size_t>& counts() const { return counts_; }

 private:
  std::map<std::string, std::size_t> counts_;
};

}  // namespace imago::data
