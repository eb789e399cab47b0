// SPDX-License-Identifier: Apache-2.0
// The arrays of an .npz file, which is a zip of .npy files, or of .npy files side by side.
#include <algorithm>
#include <map>
#include <set>

#include "base/files.hpp"
#include "data/array_names.hpp"
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
constexpr std::string_view kSuffix = ".npy";

bool is_npy_name(std::string_view name) { return name.ends_with(kSuffix); }
std::string without_suffix(const std::string& name) { return name.substr(0, name.size() - kSuffix.size()); }

bool is_known(std::string_view name) { return read_array_name(name).has_value() || names_classes(name); }

/// Arrays by name, and the names of those that mean nothing to us.
struct NamedArrays {
  std::map<std::string, HeldBytes, std::less<>> arrays;
  std::vector<std::string> unused;
};

Result<NamedArrays> read_members(const std::string& name, std::string_view bytes, const SourceLimits& limits) {
  NamedArrays named;
  TRY_VOID(read_archive_bytes(name, bytes, limits, [&](SourceItem item) -> Result<void> {
    if (item.kind == SourceItem::Kind::Refused)
      return fail(ErrorCode::ResourceExhausted, "{}: {}", item.path, item.reason);
    if (item.kind == SourceItem::Kind::Folder) return {};
    const auto array = is_npy_name(item.path) ? without_suffix(item.path) : std::string();
    if (is_known(array)) {
      named.arrays.insert_or_assign(array, HeldBytes(std::move(item.bytes)));
    } else {
      named.unused.push_back(item.path);
    }
    return {};
  }));
  return named;
}

std::vector<std::string> names_of(const NamedArrays& named) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : named.arrays) names.push_back(name);
  return names;
}

/// What class numbers are called, in all of these arrays of labels; nothing when they hold names themselves.
Result<std::vector<std::string>> class_names(const NamedArrays& named, const std::vector<Bytes>& labels) {
  double largest = -1;
  for (const auto array : labels) {
    TRY(const double here, ArrayImages::largest_class(array));
    largest = std::max(largest, here);
  }
  if (!(largest < kMaxClasses))
    return fail(ErrorCode::InvalidArgument, "class number {}: at most {}", largest, kMaxClasses - 1);
  for (const auto& [name, held] : named.arrays) {
    if (!names_classes(name)) continue;
    auto names = read_array_of_names(held.bytes);
    if (!names) return pass(names, name);
    if (static_cast<double>(names->size()) <= largest)
      return fail(ErrorCode::InvalidArgument, "class number {}, but {} has {} names", largest, name, names->size());
    return names;
  }
  const auto digits = fmt::format("{:.0f}", largest).size();
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(largest); ++i) names.push_back(fmt::format("{:0{}}", i, digits));
  return names;
}

/// The arrays that a lone file stands for: its pair, and names of classes.
Result<std::set<std::string>> pair_with(const fs::path& file, const std::vector<std::string>& names) {
  const auto name = without_suffix(file.filename().string());
  const auto meaning = read_array_name(name);
  if (!meaning)
    return fail(ErrorCode::InvalidArgument, "its name says neither images nor labels: call the two x.npy and y.npy");
  for (const auto& pair : pair_arrays(names)) {
    if ((pair.pixels != name && pair.labels != name) || pair.labels.empty()) continue;
    std::set<std::string> wanted{pair.pixels, pair.labels};
    for (const auto& other : names)
      if (names_classes(other)) wanted.insert(other);
    return wanted;
  }
  return fail(ErrorCode::InvalidArgument, "no {}.npy beside it", meaning->partner);
}

Result<ArraySet> open_pairs(const NamedArrays& named, const std::vector<std::pair<Split, ArrayPair>>& pairs) {
  std::vector<Bytes> labels;
  for (const auto& [split, pair] : pairs) labels.push_back(named.arrays.find(pair.labels)->second.bytes);
  TRY(const auto classes, class_names(named, labels));
  ArraySet set;
  set.unused = named.unused;
  std::set<std::string> used;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto& [split, pair] = pairs[i];
    auto images = ArrayImages::open(named.arrays.find(pair.pixels)->second, labels[i], classes);
    if (!images) return pass(images, pair.pixels);
    set.splits.emplace_back(split, std::move(*images));
    used.insert({pair.pixels, pair.labels});
  }
  for (const auto& [name, held] : named.arrays)
    if (!used.contains(name) && !names_classes(name)) set.unused.push_back(name);
  return set;
}

}  // namespace

Result<ArrayImages> read_npz(const std::string& name, std::string_view bytes, const std::vector<std::string>& classes) {
  TRY(const auto named, read_members(name, bytes, kSentLimits));
  auto pairs = pair_arrays(names_of(named));
  std::erase_if(pairs, [](const ArrayPair& pair) { return pair.meaning.split.has_value(); });
  if (pairs.empty()) return fail(ErrorCode::InvalidArgument, "no array of images in it: name them x_new and y_new");
  // Of several, what is said to be new.
  const auto newest = std::ranges::find_if(pairs, [](const ArrayPair& pair) { return pair.meaning.rest == "new"; });
  const auto& pair = newest == pairs.end() ? pairs.front() : *newest;
  const auto labels = named.arrays.find(pair.labels);
  return ArrayImages::open(named.arrays.find(pair.pixels)->second,
                           labels == named.arrays.end() ? Bytes() : labels->second.bytes, classes);
}

Result<ArraySet> read_npz_splits(const std::string& name, std::string_view bytes) {
  TRY(const auto named, read_members(name, bytes, kOwnLimits));
  auto pairs = choose_splits(pair_arrays(names_of(named)));
  if (!pairs) return pass(pairs, name);
  auto set = open_pairs(named, *pairs);
  if (!set) return pass(set, name);
  return set;
}

Result<ArraySet> read_npy_splits(const fs::path& path) {
  std::error_code error;
  const bool one = !fs::is_directory(path, error);
  NamedArrays named;
  std::vector<std::string> names;
  const auto folder = one ? path.parent_path() : path;
  for (fs::directory_iterator it(folder.empty() ? "." : folder, error), end; !error && it != end; it.increment(error))
    if (is_npy_name(it->path().filename().string())) names.push_back(without_suffix(it->path().filename().string()));
  if (error) return fail(ErrorCode::InvalidArgument, "reading {}: {}", folder.string(), error.message());
  std::set<std::string> wanted(names.begin(), names.end());
  if (one) {
    auto pair = pair_with(path, names);
    if (!pair) return pass(pair, path.string());
    wanted = std::move(*pair);
  }
  for (const auto& name : wanted) {
    if (!is_known(name)) {
      named.unused.push_back(name + std::string(kSuffix));
      continue;
    }
    TRY(auto held, HeldBytes::map(folder / (name + std::string(kSuffix))));
    named.arrays.emplace(name, std::move(held));
  }
  auto pairs = pair_arrays(names_of(named));
  if (one)  // a pair alone is all there is, whatever split its name says
    for (auto& pair : pairs) pair.meaning.split.reset();
  auto chosen = choose_splits(pairs);
  if (!chosen) return pass(chosen, path.string());
  auto set = open_pairs(named, *chosen);
  if (!set) return pass(set, path.string());
  return set;
}

bool looks_like_npz(std::string_view bytes) {
  constexpr std::size_t kNameAt = 30;  // of a zip's local file header
  if (!bytes.starts_with("PK\3\4") || bytes.size() < kNameAt) return false;
  const std::size_t length =
      static_cast<unsigned char>(bytes[26]) + (static_cast<std::size_t>(static_cast<unsigned char>(bytes[27])) << 8U);
  return bytes.substr(kNameAt, length).ends_with(".npy");
}

}  // namespace imago::data
