// SPDX-License-Identifier: Apache-2.0
#include "data/cifar.hpp"

#include <algorithm>
#include <array>

#include "data/pickle.hpp"

namespace imago::data {
namespace {

using Holds = CifarFile::Holds;

constexpr int kSide = 32;
constexpr int kCoarseClasses = 20;

constexpr std::array<std::string_view, 10> kNames10{"airplane", "automobile", "bird",  "cat",  "deer",
                                                    "dog",      "frog",       "horse", "ship", "truck"};
/// fine_label_names.txt of the official cifar-100-binary.tar.gz.
constexpr std::array<std::string_view, 100> kNames100{
    "apple",      "aquarium_fish", "baby",         "bear",       "beaver",      "bed",         "bee",
    "beetle",     "bicycle",       "bottle",       "bowl",       "boy",         "bridge",      "bus",
    "butterfly",  "camel",         "can",          "castle",     "caterpillar", "cattle",      "chair",
    "chimpanzee", "clock",         "cloud",        "cockroach",  "couch",       "crab",        "crocodile",
    "cup",        "dinosaur",      "dolphin",      "elephant",   "flatfish",    "forest",      "fox",
    "girl",       "hamster",       "house",        "kangaroo",   "keyboard",    "lamp",        "lawn_mower",
    "leopard",    "lion",          "lizard",       "lobster",    "man",         "maple_tree",  "motorcycle",
    "mountain",   "mouse",         "mushroom",     "oak_tree",   "orange",      "orchid",      "otter",
    "palm_tree",  "pear",          "pickup_truck", "pine_tree",  "plain",       "plate",       "poppy",
    "porcupine",  "possum",        "rabbit",       "raccoon",    "ray",         "road",        "rocket",
    "rose",       "sea",           "seal",         "shark",      "shrew",       "skunk",       "skyscraper",
    "snail",      "snake",         "spider",       "squirrel",   "streetcar",   "sunflower",   "sweet_pepper",
    "table",      "tank",          "telephone",    "television", "tiger",       "tractor",     "train",
    "trout",      "tulip",         "turtle",       "wardrobe",   "whale",       "willow_tree", "wolf",
    "woman",      "worm"};

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool is_batch_of_10(std::string_view name) {
  return name == "test_batch" ||
         (name.size() == 12 && name.starts_with("data_batch_") && name[11] >= '1' && name[11] <= '9');
}

bool is_batch_of_100(std::string_view name) { return name == "train" || name == "test"; }

/// Protocol 2 or later, which is what anybody wrote these files with.
bool is_pickle(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == '\x80' && bytes[1] >= '\2' && bytes[1] <= '\5';
}

Result<void> check_label(std::int64_t label, int classes, std::size_t record) {
  if (label >= 0 && label < classes) return {};
  return fail(ErrorCode::Corrupt, "CIFAR-{} record {} has label {}, but labels go from 0 to {}", classes, record, label,
              classes - 1);
}

/// A label byte before each image; two of CIFAR-100, the coarse one first.
Result<CifarBatch> read_binary(int classes, std::string_view bytes) {
  const bool coarse = classes == 100;
  CifarBatch batch{.records = bytes, .stride = kCifarImageBytes + (coarse ? 2 : 1), .offset = coarse ? 2U : 1U};
  if (bytes.empty() || bytes.size() % batch.stride != 0)
    return fail(ErrorCode::Corrupt, "{} bytes are not a whole number of CIFAR-{} records of {}: cut short?",
                bytes.size(), classes, batch.stride);
  for (std::size_t i = 0; i * batch.stride < bytes.size(); ++i) {
    const auto at = [&](std::size_t offset) { return static_cast<unsigned char>(bytes[i * batch.stride + offset]); };
    if (coarse && at(0) >= kCoarseClasses)
      return fail(ErrorCode::Corrupt, "CIFAR-100 record {} has coarse label {}, but those go from 0 to {}", i, at(0),
                  kCoarseClasses - 1);
    TRY_VOID(check_label(at(coarse ? 1 : 0), classes, i));
    batch.labels.push_back(at(coarse ? 1 : 0));
  }
  return batch;
}

/// An array that was named but never filled has no dtype.
bool is_bytes_array(const PickleValue& value) {
  return value.kind == PickleValue::Kind::Array && value.dtype != nullptr && value.dtype->text == "u1";
}

/// The labels: a list of numbers, or a numpy array of single bytes.
Result<std::vector<int>> labels_from(const PickleValue& value, int classes, std::string_view key) {
  std::vector<int> labels;
  if (value.kind == PickleValue::Kind::List) {
    for (const auto* item : value.items) {
      if (item->kind != PickleValue::Kind::Int)
        return fail(ErrorCode::Corrupt, "\"{}\" has something else than numbers", key);
      TRY_VOID(check_label(item->number, classes, labels.size()));
      labels.push_back(static_cast<int>(item->number));
    }
    return labels;
  }
  if (!is_bytes_array(value))
    return fail(ErrorCode::Unsupported, "\"{}\" is neither a list nor an array of uint8", key);
  for (const char label : value.text) {
    TRY_VOID(check_label(static_cast<unsigned char>(label), classes, labels.size()));
    labels.push_back(static_cast<unsigned char>(label));
  }
  return labels;
}

/// Points batch.records at the array of images, one row each; a copy where it lies column by column.
Result<void> take_planes(const PickleValue& value, CifarBatch& batch) {
  const std::size_t records = batch.labels.size();
  if (!is_bytes_array(value)) return fail(ErrorCode::Unsupported, "\"data\" is not a numpy array of uint8");
  std::int64_t elements = 1;
  for (const auto* side : value.items) {
    if (side->number < 0 || side->number > 1'000'000)
      return fail(ErrorCode::Corrupt, "\"data\" has a side of {}", side->number);
    if (elements > 1'000'000'000) break;
    elements *= side->number;
  }
  if (value.items.empty() || value.items[0]->number != static_cast<std::int64_t>(records) ||
      elements != static_cast<std::int64_t>(records * kCifarImageBytes) ||
      value.text.size() != records * kCifarImageBytes)
    return fail(ErrorCode::Corrupt, "\"data\" has {} bytes, but {} labels need {}", value.text.size(), records,
                records * kCifarImageBytes);
  batch.records = value.text;
  if (!value.column_major) return {};
  if (value.items.size() != 2)
    return fail(ErrorCode::Unsupported, "\"data\" is in Fortran order with {} axes", value.items.size());
  auto rows = std::make_shared<std::string>(value.text.size(), '\0');
  for (std::size_t row = 0; row < records; ++row)
    for (std::size_t i = 0; i < kCifarImageBytes; ++i)
      (*rows)[row * kCifarImageBytes + i] = value.text[i * records + row];
  batch.records = *rows;
  batch.keeper = std::move(rows);
  return {};
}

Result<CifarBatch> read_python(int classes, std::string_view bytes) {
  const std::string_view key = classes == 100 ? "fine_labels" : "labels";
  TRY(auto read, Pickle::read(bytes));
  const auto pickle = std::make_shared<const Pickle>(std::move(read));
  const auto* labels = pickle->root().find(key);
  const auto* data = pickle->root().find("data");
  if (labels == nullptr || data == nullptr)
    return fail(ErrorCode::Corrupt, "not a CIFAR-{} batch: no \"{}\" and \"data\" in it", classes, key);
  CifarBatch batch;
  batch.keeper = pickle;
  TRY(batch.labels, labels_from(*labels, classes, key));
  TRY_VOID(take_planes(*data, batch));
  if (batch.labels.empty()) return fail(ErrorCode::Corrupt, "a CIFAR-{} batch without images", classes);
  return batch;
}

Result<void> check_count(std::size_t names, int classes) {
  if (names == static_cast<std::size_t>(classes)) return {};
  return fail(ErrorCode::Corrupt, "{} class names, but CIFAR-{} has {}", names, classes, classes);
}

}  // namespace

CifarFile cifar_file(std::string_view path, std::string_view bytes) {
  const auto name = base_name(path);
  const auto stem = name.ends_with(".bin") ? name.substr(0, name.size() - 4) : std::string_view();
  if (name == "batches.meta.txt") return {Holds::Names, false, 10};
  if (name == "batches.meta") return {Holds::Names, true, 10};
  if (name == "fine_label_names.txt") return {Holds::Names, false, 100};
  if (name == "coarse_label_names.txt") return {Holds::CoarseNames, false, 100};
  if (is_batch_of_10(name)) return {Holds::Images, true, 10};
  if (is_batch_of_10(stem)) return {Holds::Images, false, 10};
  if (is_batch_of_100(stem)) return {Holds::Images, false, 100};
  if (is_pickle(bytes) && name == "meta") return {Holds::Names, true, 100};
  if (is_pickle(bytes) && is_batch_of_100(name)) return {Holds::Images, true, 100};
  return {};
}

bool is_large_cifar_file(std::string_view path) {
  auto name = base_name(path);
  if (name.ends_with(".bin")) name.remove_suffix(4);
  return is_batch_of_100(name);
}

std::string cifar_path(std::string_view batch, std::size_t image) {
  const auto name = base_name(batch);
  return fmt::format("{}/{:05}.png", name.substr(0, name.find('.')), image);
}

Split cifar_split(std::string_view path) { return base_name(path).starts_with("test") ? Split::Test : Split::Train; }

Result<CifarBatch> read_cifar_batch(CifarFile file, std::string_view bytes) {
  return file.python ? read_python(file.classes, bytes) : read_binary(file.classes, bytes);
}

Result<std::vector<std::string>> read_cifar_names(CifarFile file, std::string_view bytes) {
  std::vector<std::string> names;
  if (!file.python) {
    for (std::size_t start = 0; start < bytes.size();) {
      const auto end = std::min(bytes.find('\n', start), bytes.size());
      auto name = bytes.substr(start, end - start);
      if (name.ends_with('\r')) name.remove_suffix(1);
      if (!name.empty()) names.emplace_back(name);
      start = end + 1;
    }
    TRY_VOID(check_count(names.size(), file.classes));
    return names;
  }
  const std::string_view key = file.classes == 100 ? "fine_label_names" : "label_names";
  TRY(const auto pickle, Pickle::read(bytes));
  const auto* list = pickle.root().find(key);
  if (list == nullptr) return fail(ErrorCode::Corrupt, "no \"{}\" in it", key);
  // Before any is copied: one long text may be in the list a million times.
  TRY_VOID(check_count(list->items.size(), file.classes));
  for (const auto* item : list->items) names.emplace_back(item->text);
  return names;
}

std::vector<std::string> cifar_names(int classes) {
  if (classes == 10) return {kNames10.begin(), kNames10.end()};
  return {kNames100.begin(), kNames100.end()};
}

image::Image cifar_image(std::string_view planes) {
  EXPECTS(planes.size() == kCifarImageBytes, "a CIFAR image has 3072 bytes");
  image::Image image{kSide, kSide, std::vector<std::uint8_t>(kCifarImageBytes)};
  const std::size_t pixels = image.pixels();
  for (std::size_t i = 0; i < pixels; ++i)
    for (std::size_t c = 0; c < 3; ++c) image.rgb[i * 3 + c] = static_cast<std::uint8_t>(planes[c * pixels + i]);
  return image;
}

}  // namespace imago::data
