// SPDX-License-Identifier: Apache-2.0
#include "load/pictures.hpp"

#include <algorithm>

#include "base/files.hpp"
#include "data/shapes.hpp"
#include "image/decode.hpp"
#include "image/encode.hpp"

namespace imago::load {
namespace {

constexpr std::string_view kBoundary = "imago-bench-2f1c9d7e";

/// Indices of `most` of `count` things, evenly spread.
std::vector<std::size_t> spread(std::size_t count, std::size_t most) {
  std::vector<std::size_t> chosen;
  const std::size_t wanted = std::min(count, most);
  for (std::size_t i = 0; i < wanted; ++i) chosen.push_back(i * count / wanted);
  return chosen;
}

std::string json_pixels(const image::Image& image) {
  std::string text = R"({"range":"0-255","image":[)";
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    const bool new_row = i / 3 % static_cast<std::size_t>(image.width) == 0;
    if (i > 0) text += new_row ? "]," : ",";
    fmt::format_to(std::back_inserter(text), "{}[{},{},{}]", new_row ? "[" : "", image.rgb[i], image.rgb[i + 1],
                   image.rgb[i + 2]);
  }
  return text + "]]}";
}

}  // namespace

Result<Pictures> pictures_in_folder(const std::filesystem::path& folder, std::size_t most) {
  std::error_code error;
  std::vector<fs::path> files;
  for (auto entry = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry->is_regular_file(error)) files.push_back(entry->path());
  }
  if (error) return fail(ErrorCode::NotFound, "{}: {}", folder.string(), error.message());
  std::ranges::sort(files);
  Pictures pictures;
  for (const auto index : spread(files.size(), most)) {
    auto bytes = read_file(files[index], image::DecodeLimits{}.max_bytes);
    if (bytes && image::probe(as_bytes(*bytes))) pictures.push_back(*std::move(bytes));
  }
  if (pictures.empty())
    return fail(ErrorCode::NotFound, "{} has no image among its {} files", folder.string(), files.size());
  return pictures;
}

Result<Pictures> pictures_of_dataset(const data::Repository& repository, const std::string& reference,
                                     std::size_t most) {
  const auto colon = reference.rfind(':');
  if (colon == std::string::npos)
    return fail(ErrorCode::InvalidArgument, "'{}' is no folder; of a data set name the split too, as cifar10:test",
                reference);
  TRY(const auto split, data::split_from(reference.substr(colon + 1)));
  TRY(const auto manifest, repository.load(reference.substr(0, colon)));
  const auto rows = manifest.indices(split);
  Pictures pictures;
  for (const auto index : spread(rows.size(), most)) {
    TRY(auto bytes, repository.read_object(manifest.entries[rows[index]].sha256));
    pictures.push_back(std::move(bytes));
  }
  if (pictures.empty()) return fail(ErrorCode::NotFound, "{} has no images", reference);
  return pictures;
}

Result<Pictures> drawn_pictures(int side, std::size_t count) {
  Pictures pictures;
  for (std::size_t i = 0; i < count; ++i) {
    const auto label = static_cast<int>(i % data::kShapeLabels.size());
    TRY(auto bytes, image::encode_jpeg(data::draw_shape(label, side, i)));
    pictures.push_back(std::move(bytes));
  }
  return pictures;
}

std::string_view content_type(Form form) noexcept {
  switch (form) {
    case Form::Multipart: return "multipart/form-data; boundary=imago-bench-2f1c9d7e";
    case Form::Raw: return "application/octet-stream";
    case Form::Json: return "application/json";
  }
  return "";
}

Result<std::string> body_of(Form form, std::string_view encoded) {
  if (form == Form::Raw) return std::string(encoded);
  if (form == Form::Json) {
    TRY(const auto image, image::decode(as_bytes(encoded)));
    return json_pixels(image);
  }
  return fmt::format(
      "--{0}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"bench.jpg\"\r\n"
      "Content-Type: application/octet-stream\r\n\r\n{1}\r\n--{0}--\r\n",
      kBoundary, encoded);
}

}  // namespace imago::load
