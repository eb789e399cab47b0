// SPDX-License-Identifier: Apache-2.0
// imago data preview: what a recipe's augmentation makes of images, on one sheet.
#include <algorithm>
#include <cstring>

#include "app/data_subcommands.hpp"
#include "app/recipes.hpp"
#include "base/files.hpp"
#include "data/augment_mix.hpp"
#include "data/packed.hpp"
#include "image/encode.hpp"

namespace imago::app {
namespace {

constexpr int kGap = 4;            // pixels between images
constexpr int kReadableSide = 96;  // smaller images are drawn larger, by a whole factor
constexpr std::size_t kMostPixels = 64'000'000;
constexpr std::uint8_t kPaper = 255;

struct PreviewOptions {
  std::string dataset;
  std::string recipe = "quick";
  std::vector<std::string> overrides;
  std::string out = "sheet.png";
  std::string split = "train";
  int count = 8;
  int draws = 7;
  std::uint64_t seed = 1;
};

/// A white page of cells in rows and columns.
class Sheet {
 public:
  static Result<Sheet> of(int columns, int rows, int width, int height) {
    const int factor = std::max(1, kReadableSide / std::max(width, height));
    Sheet sheet(factor, width, height);
    const auto across = static_cast<std::size_t>(columns) * static_cast<std::size_t>(width * factor + kGap) + kGap;
    const auto down = static_cast<std::size_t>(rows) * static_cast<std::size_t>(height * factor + kGap) + kGap;
    if (across * down > kMostPixels)
      return fail(ErrorCode::InvalidArgument,
                  "a sheet of {} x {} pixels is too large: lower --count or --draws, or set preprocess.width and "
                  "preprocess.height lower",
                  across, down);
    sheet.page_ = {static_cast<int>(across), static_cast<int>(down), {}};
    sheet.page_.rgb.assign(across * down * 3, kPaper);
    return sheet;
  }

  void put(int column, int row, std::span<const std::uint8_t> rgb) {
    const int left = kGap + column * (width_ * factor_ + kGap);
    const int top = kGap + row * (height_ * factor_ + kGap);
    for (int y = 0; y < height_ * factor_; ++y) {
      for (int x = 0; x < width_ * factor_; ++x)
        std::memcpy(&page_.rgb[place(left + x, top + y, page_.width)], &rgb[place(x / factor_, y / factor_, width_)],
                    3);
    }
  }

  [[nodiscard]] const image::Image& page() const { return page_; }

 private:
  Sheet(int factor, int width, int height) : factor_(factor), width_(width), height_(height) {}

  static std::size_t place(int x, int y, int width) {
    return (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) * 3;
  }

  int factor_, width_, height_;
  image::Image page_;
};

struct Choice {
  data::Augmentation augmentation;
  image::Preprocess preprocess;
};

/// The two parts of a recipe that decide what an image looks like.
Result<Choice> choice_of(const PreviewOptions& options) {
  TRY(auto recipe, load_recipe(options.recipe));
  for (const auto& assignment : options.overrides) TRY_VOID(apply_override(recipe, assignment));
  Choice choice;
  TRY(choice.augmentation,
      data::augmentation_from_json(recipe.contains("augmentation") ? recipe["augmentation"] : json::Value::object()));
  json::Value preprocess = image::to_json(choice.preprocess);
  if (recipe.contains("preprocess") && recipe["preprocess"].is_object()) preprocess.update(recipe["preprocess"]);
  auto read = image::preprocess_from_json(preprocess);
  if (!read) return pass(read, "recipe " + options.recipe + ": preprocess");
  choice.preprocess = *read;
  return choice;
}

/// One row an image: as it is, then as in so many epochs.
Result<Sheet> draw(const data::PackedSplit& split, const data::Augmentation& augmentation,
                   const PreviewOptions& options) {
  const std::size_t count = std::min(static_cast<std::size_t>(options.count), split.size());
  std::vector<std::size_t> indices(count);
  for (std::size_t i = 0; i < count; ++i) indices[i] = i * split.size() / count;  // from all classes, if sorted by them
  TRY(auto sheet, Sheet::of(options.draws + 1, static_cast<int>(count), split.width(), split.height()));
  for (std::size_t i = 0; i < count; ++i) sheet.put(0, static_cast<int>(i), split.image(indices[i]));
  std::vector<std::uint8_t> pixels;
  for (int epoch = 0; epoch < options.draws; ++epoch) {
    data::augment_and_mix(split, indices, augmentation, options.seed, epoch, pixels);
    const std::size_t bytes = pixels.size() / count;
    for (std::size_t i = 0; i < count; ++i)
      sheet.put(epoch + 1, static_cast<int>(i), std::span(pixels).subspan(i * bytes, bytes));
  }
  return sheet;
}

Result<void> run_preview(Context& context, const PreviewOptions& options) {
  TRY(const auto choice, choice_of(options));
  TRY(const auto split_name, data::split_from(options.split));
  TRY(auto* workspace, context.workspace());
  TRY(const auto manifest, workspace->datasets().load(options.dataset));
  Progress progress(context.progress());
  TRY(const auto split,
      data::open_packed(workspace->datasets(), manifest, split_name, choice.preprocess,
                        [&](std::size_t done, std::size_t total) { progress.update("reading images", done, total); }));
  progress.end();
  TRY(const auto sheet, draw(split, choice.augmentation, options));
  TRY(const auto png, image::encode_png(sheet.page()));
  TRY_VOID(write_file(options.out, png));
  const std::size_t rows = std::min(static_cast<std::size_t>(options.count), split.size());
  context.answer({{"dataset", manifest.name + "@" + data::version_of(manifest)},
                  {"path", options.out},
                  {"images", rows},
                  {"draws", options.draws},
                  {"width", sheet.page().width},
                  {"height", sheet.page().height},
                  {"augmentation", data::to_json(choice.augmentation)}},
                 fmt::format("{}: {} images, each as it is and as training sees it in {} epochs\n", options.out, rows,
                             options.draws));
  return {};
}

}  // namespace

void add_preview_subcommand(CLI::App& data, Context& context) {
  auto* preview = data.add_subcommand("preview", "Draw what a recipe's augmentation makes of images, on one sheet");
  auto options = std::make_shared<PreviewOptions>();
  preview->add_option("dataset", options->dataset, "NAME or NAME@VERSION")->required();
  preview->add_option("--augment", options->recipe, "Recipe name or .yaml file (see `imago recipes list`)")
      ->capture_default_str()
      ->type_name("RECIPE");
  preview->add_option("--set", options->overrides, "Change one setting of the recipe, such as augmentation.rotation=15")
      ->type_name("KEY=VALUE");
  preview->add_option("--out", options->out, "The PNG file to write")->capture_default_str()->type_name("FILE");
  preview->add_option("--split", options->split, "train, validation or test")->capture_default_str();
  preview->add_option("--count", options->count, "Images, a row each")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  preview->add_option("--draws", options->draws, "Epochs, a column each, after the image as it is")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  preview->add_option("--seed", options->seed, "The seed of the run to look at")->capture_default_str();
  preview->footer("Example:\n  imago data preview cifar10 --augment airbench94 --set augmentation.rotation=15");
  preview->callback(
      [&context, options] { context.action = [&context, options] { return run_preview(context, *options); }; });
}

}  // namespace imago::app
