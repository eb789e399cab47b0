// SPDX-License-Identifier: Apache-2.0
// The arrays of an .npz file, which is a zip of .npy files, by the names people give them.
#include <algorithm>
#include <array>
#include <map>

#include "data/arrays.hpp"
#include "data/source.hpp"

namespace imago::data {
namespace {

/// What somebody sends is held in memory by a server; what is imported is somebody's own.
constexpr SourceLimits kSentLimits{.file_bytes = std::uint64_t{1} << 30,
                                   .total_bytes = std::uint64_t{2} << 30,
                                   .files = 64,
                                   .ratio = 200,
                                   .ratio_from = std::uint64_t{64} << 20};
constexpr SourceLimits kOwnLimits{.file_bytes = std::uint64_t{16} << 30, .files = 64};
constexpr double kMaxClasses = 100'000;

struct Names {
  std::string_view x, y;
  Split split;
};
constexpr std::array<Names, 7> kNames{{{"x_train", "y_train", Split::Train},
                                       {"x_new", "y_new", Split::Train},
                                       {"x", "y", Split::Train},
                                       {"images", "labels", Split::Train},
                                       {"x_val", "y_val", Split::Validation},
                                       {"x_valid", "y_valid", Split::Validation},
                                       {"x_test", "y_test", Split::Test}}};

/// A pair for uploads: those of a whole data set have splits of their own.
bool is_sent(std::string_view x) { return x == "x_new" || x == "x" || x == "images"; }

using Arrays = std::map<std::string, std::string, std::less<>>;

/// The arrays of one of the names we know.
Result<Arrays> read_members(const std::string& name, std::string_view bytes, const SourceLimits& limits) {
  Arrays arrays;
  TRY_VOID(read_archive_bytes(name, bytes, limits, [&](SourceItem item) -> Result<void> {
    if (item.kind == SourceItem::Kind::Refused)
      return fail(ErrorCode::ResourceExhausted, "{}: {}", item.path, item.reason);
    if (!item.path.ends_with(".npy")) return {};
    item.path.resize(item.path.size() - 4);
    for (const auto& [x, y, split] : kNames)
      if (item.path == x || item.path == y) arrays[item.path] = std::move(item.bytes);
    return {};
  }));
  return arrays;
}

/// Names for class numbers from 0 to the largest in any of these arrays; none when they hold names themselves.
Result<std::vector<std::string>> number_names(const std::vector<std::string>& labels) {
  double largest = -1;
  for (const auto& array : labels) {
    TRY(const double here, ArrayImages::largest_class(array));
    largest = std::max(largest, here);
  }
  if (!(largest < kMaxClasses))
    return fail(ErrorCode::InvalidArgument, "class number {}: at most {}", largest, kMaxClasses - 1);
  const auto digits = fmt::format("{:.0f}", largest).size();
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(largest); ++i) names.push_back(fmt::format("{:0{}}", i, digits));
  return names;
}

}  // namespace

Result<ArrayImages> read_npz(const std::string& name, std::string_view bytes, const std::vector<std::string>& classes) {
  TRY(auto arrays, read_members(name, bytes, kSentLimits));
  for (const auto& [x, y, split] : kNames) {
    const auto pixels = arrays.find(x);
    if (pixels == arrays.end() || !is_sent(x)) continue;
    const auto labels = arrays.find(y);
    return ArrayImages::open(std::move(pixels->second), labels == arrays.end() ? std::string() : labels->second,
                             classes);
  }
  return fail(ErrorCode::InvalidArgument, "no array of images in it: name them x_new and y_new");
}

Result<std::vector<std::pair<Split, ArrayImages>>> read_npz_splits(const std::string& name, std::string_view bytes) {
  TRY(auto arrays, read_members(name, bytes, kOwnLimits));
  std::vector<std::string> labels;
  for (const auto& [x, y, split] : kNames)
    if (arrays.contains(x) && arrays.contains(y)) labels.push_back(arrays.find(y)->second);
  TRY(const auto classes, number_names(labels));
  std::vector<std::pair<Split, ArrayImages>> splits;
  for (const auto& [x, y, split] : kNames) {
    const auto pixels = arrays.find(x);
    if (pixels == arrays.end() || (split == Split::Train && !splits.empty())) continue;
    if (!arrays.contains(y)) return fail(ErrorCode::InvalidArgument, "{} has {} but no {}", name, x, y);
    auto images = ArrayImages::open(std::move(pixels->second), arrays.find(y)->second, classes);
    if (!images) return pass(images, fmt::format("{}: {}", name, x));
    splits.emplace_back(split, std::move(*images));
  }
  if (splits.empty() || splits.front().first != Split::Train)
    return fail(ErrorCode::InvalidArgument, "{} has no images for training: name the arrays x_train and y_train", name);
  return splits;
}

bool looks_like_npz(std::string_view bytes) {
  constexpr std::size_t kNameAt = 30;  // of a zip's local file header
  if (!bytes.starts_with("PK\3\4") || bytes.size() < kNameAt) return false;
  const std::size_t length =
      static_cast<unsigned char>(bytes[26]) + (static_cast<std::size_t>(static_cast<unsigned char>(bytes[27])) << 8U);
  return bytes.substr(kNameAt, length).ends_with(".npy");
}

}  // namespace imago::data
