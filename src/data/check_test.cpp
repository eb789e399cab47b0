// SPDX-License-Identifier: Apache-2.0
#include "data/check.hpp"

#include <algorithm>
#include <cmath>

#include "data/import.hpp"
#include "data/test_data.hpp"
#include "image/encode.hpp"
#include "image/test_images.hpp"

namespace imago::data {
namespace {

/// Waves of a few frequencies: other `seed`, other picture.
image::Image scene(int seed, int side = 48, int brighter = 0) {
  image::Image made{side, side, {}};
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      for (int c = 0; c < 3; ++c) {
        double value = 110 + brighter;
        for (int wave = 1; wave <= 5; ++wave) {
          const double turn = std::fmod(seed * 12.9898 + wave * 78.233 + 0.2 * c, 6.28);
          const double fx = std::fmod(seed * 0.71 + wave * 1.37, 4.0);
          const double fy = std::fmod(seed * 1.13 + wave * 0.59, 4.0);
          value += 22 * std::sin(6.28 * (fx * x + fy * y) / side + turn);
        }
        made.rgb.push_back(static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0)));
      }
    }
  }
  return made;
}

image::Image flat(int side, std::uint8_t value) {
  return {side, side, std::vector<std::uint8_t>(static_cast<std::size_t>(side * side) * 3, value)};
}

class CheckTest : public testing::FolderTest {
 protected:
  CheckTest() : repository_(folder() / "datasets") {}

  void add(const std::string& path, const image::Image& picture) {
    put("source/" + path, image::encode_png(picture).value());
  }
  void add_jpeg(const std::string& path, const image::Image& picture, int quality) {
    put("source/" + path, image::encode_jpeg(picture, quality).value());
  }

  CheckReport check() {
    EXPECT_TRUE(import_dataset(repository_, {.name = "set", .source = folder() / "source"}, {}, nullptr));
    manifest_ = repository_.load("set").value();
    return check_dataset(repository_, "set", {}, {}, nullptr).value();
  }

  [[nodiscard]] std::vector<std::string> paths(const FindingItem& item) const {
    std::vector<std::string> found;
    for (const std::size_t i : item.entries) found.push_back(manifest_.entries[i].path);
    return found;
  }

  static const Finding* find(const CheckReport& report, const std::string& name) {
    const auto at = std::find_if(report.findings.begin(), report.findings.end(),
                                 [&](const Finding& finding) { return finding.check == name; });
    return at == report.findings.end() ? nullptr : &*at;
  }

  /// Enough sound images of both classes in every split.
  void add_sound_ones() {
    int seed = 100;
    for (const char* place : {"train", "val", "test"}) {
      for (int i = 0; i < 6; ++i) {
        add(fmt::format("{}/cat/{}.png", place, i), scene(seed++));
        add(fmt::format("{}/dog/{}.png", place, i), scene(seed++));
      }
    }
  }

  Repository repository_;
  Manifest manifest_;
};

TEST_F(CheckTest, FindsNothingInASoundDataSet) {
  add_sound_ones();
  const auto report = check();
  for (const auto& finding : report.findings) ADD_FAILURE() << finding.check << ": " << finding.message;
  EXPECT_EQ(report.images, 36);
  EXPECT_EQ(report.distinct, 36);
}

TEST_F(CheckTest, NamesLeaksBetweenSplitsWorstFirst) {
  add_sound_ones();
  add("train/cat/exact.png", scene(1));
  add("test/cat/exact.png", scene(1));
  add("train/dog/near.png", scene(2));
  add_jpeg("test/dog/near.jpg", scene(2, 48, 10), 60);
  add("train/dog/held.png", scene(3));
  add("val/dog/held.png", scene(3));
  const auto report = check();
  ASSERT_FALSE(report.findings.empty());
  const auto& exact = report.findings[0];
  EXPECT_EQ(exact.check, "leak_exact");
  EXPECT_EQ(exact.severity, Severity::Bad);
  EXPECT_EQ(exact.count, 2);
  ASSERT_EQ(exact.items.size(), 2);
  EXPECT_EQ(paths(exact.items[0]), (std::vector<std::string>{"test/cat/exact.png", "train/cat/exact.png"}));
  EXPECT_EQ(paths(exact.items[1]), (std::vector<std::string>{"val/dog/held.png", "train/dog/held.png"}));
  const auto* near = find(report, "leak_near");
  ASSERT_NE(near, nullptr);
  ASSERT_EQ(near->items.size(), 1);
  EXPECT_EQ(paths(near->items[0]), (std::vector<std::string>{"test/dog/near.jpg", "train/dog/near.png"}));
}

TEST_F(CheckTest, FindsCopiesWithDifferentLabels) {
  add_sound_ones();
  add("train/cat/a.png", scene(1));
  add("train/dog/a.png", scene(1));
  add("train/cat/b.png", scene(2));
  add_jpeg("train/dog/b.jpg", scene(2), 60);
  const auto report = check();
  const auto* conflict = find(report, "label_conflict");
  ASSERT_NE(conflict, nullptr);
  EXPECT_EQ(conflict->count, 4);
  EXPECT_EQ(paths(conflict->items[0]), (std::vector<std::string>{"train/cat/a.png", "train/dog/a.png"}));
}

TEST_F(CheckTest, FindsBlankTinyDarkLongAndColourlessImages) {
  add_sound_ones();
  add("train/cat/white.png", flat(40, 255));
  add("train/cat/gray.png", flat(40, 90));
  add("train/cat/tiny.png", scene(5, 9));
  add("train/dog/dark.png", [] {
    auto picture = scene(6);
    for (std::size_t i = 0; i < picture.rgb.size(); ++i)
      picture.rgb[i] = static_cast<std::uint8_t>(picture.rgb[i] / (i % 3 == 0 ? 5 : 12));
    return picture;
  }());
  auto longish = flat(100, 0);
  longish.height = 20;
  longish.rgb.resize(longish.pixels() * 3);
  for (std::size_t i = 0; i < longish.rgb.size(); ++i) longish.rgb[i] = static_cast<std::uint8_t>(i * 7919 >> 5);
  add("train/dog/long.png", longish);
  auto colourless = scene(7);
  for (std::size_t i = 0; i < colourless.rgb.size(); ++i) colourless.rgb[i] = colourless.rgb[i / 3 * 3];
  add("train/dog/colourless.png", colourless);
  CheckReport report = check();
  const auto single = [&](const std::string& name) {
    const auto* finding = find(report, name);
    return finding == nullptr || finding->items.size() != 1 ? "none or several" : paths(finding->items[0])[0];
  };
  EXPECT_EQ(single("tiny"), "train/cat/tiny.png");
  EXPECT_EQ(single("brightness"), "train/dog/dark.png");
  EXPECT_EQ(single("odd_aspect"), "train/dog/long.png");
  EXPECT_EQ(single("gray"), "train/dog/colourless.png");
  ASSERT_NE(find(report, "blank"), nullptr);
  EXPECT_EQ(find(report, "blank")->count, 2);
  EXPECT_EQ(find(report, "duplicate_near"), nullptr) << "blank images are not copies of one another";
}

TEST_F(CheckTest, NamesTransparentAndMisnamedImages) {
  add_sound_ones();
  put("source/train/cat/alpha.png", image::testing::decode_base64(image::testing::kPngAlpha));
  put("source/train/cat/inks.jpg", image::testing::decode_base64(image::testing::kJpegCmyk));
  add("train/dog/really_a.jpg", scene(1));
  const auto report = check();
  for (const auto& [name, path, note] :
       {std::tuple("alpha", "train/cat/alpha.png", "alpha channel"), std::tuple("cmyk", "train/cat/inks.jpg", "CMYK"),
        std::tuple("wrong_type", "train/dog/really_a.jpg", "png inside")}) {
    const auto* finding = find(report, name);
    ASSERT_NE(finding, nullptr) << name;
    ASSERT_EQ(finding->items.size(), 1) << name;
    EXPECT_EQ(paths(finding->items[0]), std::vector<std::string>{path});
    EXPECT_EQ(finding->items[0].note, note);
  }
}

TEST_F(CheckTest, TellsOfClassesRefusalsAndDamageSinceTheImport) {
  for (int i = 0; i < 12; ++i) add(fmt::format("train/cat/{}.png", i), scene(i));
  for (int i = 0; i < 3; ++i) add(fmt::format("train/dog/{}.png", i), scene(50 + i));
  for (int i = 0; i < 2; ++i) add(fmt::format("test/cat/{}.png", i), scene(80 + i));
  put("source/train/dog/broken.png", "\x89PNG\r\n\x1a\nno");
  ASSERT_TRUE(
      import_dataset(repository_, {.name = "set", .source = folder() / "source", .ratios = {0, 0}}, {}, nullptr));
  const auto manifest = repository_.load("set").value();
  const auto victim = repository_.object_path(manifest.entries[0].sha256);
  fs::permissions(victim, fs::perms::owner_all);
  ASSERT_TRUE(write_file(victim, "changed"));
  const auto report = check_dataset(repository_, "set", {}, {}, nullptr).value();
  ASSERT_NE(find(report, "class_imbalance"), nullptr);
  EXPECT_NE(find(report, "class_imbalance")->message.find("4.0 times"), std::string::npos);
  ASSERT_NE(find(report, "class_missing"), nullptr);
  EXPECT_EQ(find(report, "class_missing")->items[0].note, "no 'dog' in the test split");
  ASSERT_NE(find(report, "refused"), nullptr);
  EXPECT_EQ(find(report, "refused")->count, 1);
  EXPECT_NE(find(report, "refused")->message.find("1 file; broken PNG: 1"), std::string::npos)
      << find(report, "refused")->message;
  EXPECT_NE(find(report, "refused")->items[0].note.find("broken.png"), std::string::npos);
  ASSERT_NE(find(report, "damaged"), nullptr);
  EXPECT_EQ(find(report, "damaged")->items[0].entries, std::vector<std::size_t>{0});
}

TEST_F(CheckTest, MeasuresDistributionsOverAllImages) {
  for (int i = 0; i < 9; ++i) {
    add(fmt::format("cat/{}.png", i), scene(i, 20 + 2 * i));
    add(fmt::format("dog/{}.png", i), scene(30 + i, 20 + 2 * i));
  }
  const auto report = check();
  ASSERT_EQ(report.distributions.size(), 5);
  const auto& width = report.distributions[0];
  EXPECT_EQ(width.name, "width");
  EXPECT_EQ(width.min, 20);
  EXPECT_EQ(width.max, 36);
  EXPECT_EQ(width.median, 28);
  std::size_t sum = 0;
  for (const auto n : width.histogram) sum += n;
  EXPECT_EQ(sum, 18);
  EXPECT_EQ(report.distributions[2].histogram, std::vector<std::size_t>{18}) << "all square: one bin";
}

TEST_F(CheckTest, StopsWhenToldAndChangesNothing) {
  add_sound_ones();
  check();
  const std::atomic<bool> stop{true};
  EXPECT_EQ(check_dataset(repository_, "set", {}, {}, &stop).error().code, ErrorCode::Cancelled);
  EXPECT_EQ(version_of(repository_.load("set").value()), version_of(manifest_));
}

}  // namespace
}  // namespace imago::data
