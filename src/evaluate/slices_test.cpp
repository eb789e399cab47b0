// SPDX-License-Identifier: Apache-2.0
#include "evaluate/slices.hpp"

#include <gmock/gmock.h>

#include "image/encode.hpp"

namespace imago::evaluate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Answer answer(bool right) { return {.entry = 0, .truth = 0, .predicted = right ? 0 : 1}; }

std::vector<Answer> answers(const std::vector<int>& right) {
  std::vector<Answer> result;
  for (const int one : right) result.push_back(answer(one != 0));
  return result;
}

TEST(NumberColumn, KeepsFewDifferentNumbersAsTheyAre) {
  const std::vector<double> sides{224, 32, 32, 96, 224};
  const auto column = number_column("width", sides, 0, " px");
  EXPECT_THAT(column.values, ElementsAre("32 px", "96 px", "224 px"));
  EXPECT_THAT(column.value_of, ElementsAre(2, 0, 0, 1, 2));
}

TEST(NumberColumn, CutsManyNumbersIntoFifths) {
  std::vector<double> numbers;
  for (int i = 0; i < 100; ++i) numbers.push_back((i * 37) % 100);
  const auto column = number_column("brightness", numbers, 0);
  EXPECT_THAT(column.values, ElementsAre("0 to 19", "20 to 39", "40 to 59", "60 to 79", "80 to 99"));
  for (std::size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(column.value_of[i], static_cast<int>(numbers[i]) / 20);
}

TEST(NumberColumn, NeverPutsEqualNumbersIntoDifferentParts) {
  std::vector<double> numbers(80, 7.0);
  for (int i = 0; i < 20; ++i) numbers.push_back(10 + i);
  const auto column = number_column("size", numbers, 0);
  EXPECT_THAT(column.values, ElementsAre("7", "10 to 29"));
  EXPECT_EQ(std::ranges::count(column.value_of, 0), 80);
}

TEST(TextColumn, GathersWhatIsRareAmongManyValues) {
  std::vector<std::string> texts;
  for (int i = 0; i < 150; ++i) texts.push_back(fmt::format("source {:03}", i));
  texts.push_back("source 149");
  const auto column = text_column("source", texts);
  EXPECT_THAT(column.values, SizeIs(101));
  EXPECT_EQ(column.values.back(), "(others)");
  EXPECT_EQ(column.values[99], "source 149");
  EXPECT_EQ(column.value_of[149], 99);
  EXPECT_EQ(column.value_of[148], 100);
}

TEST(MeasureSlices, PutsTheSurestWeaknessFirst) {
  // Two images, both wrong: the interval goes up to 0.66. Ten, one right: to 0.40.
  std::vector<int> right{0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  Column column{.name = "source", .values = {"few", "many", "none"}, .value_of = {0, 0}};
  column.value_of.resize(12, 1);
  const auto slices = measure_slices(std::vector{column}, answers(right));
  ASSERT_THAT(slices, SizeIs(2));
  EXPECT_EQ(slices[0].value, "many");
  EXPECT_EQ(slices[0].n, 10);
  EXPECT_EQ(slices[0].correct, 1);
  EXPECT_DOUBLE_EQ(slices[0].accuracy, 0.1);
  // statsmodels: proportion_confint(1, 10, method="wilson")
  EXPECT_NEAR(slices[0].interval.low, 0.01787621, 1e-8);
  EXPECT_NEAR(slices[0].interval.high, 0.40415003, 1e-8);
  EXPECT_EQ(slices[1].value, "few");
}

TEST(MeasureSlices, LeavesOutAColumnThatTellsNothingApart) {
  const Column column{.name = "size", .values = {"1024 px"}, .value_of = {0, 0}};
  EXPECT_THAT(measure_slices(std::vector{column}, answers({1, 0})), IsEmpty());
}

TEST(MeasureSlices, AreWrittenWithTheirIntervals) {
  const Column column{.name = "class", .values = {"cat", "dog"}, .value_of = {0, 1}};
  const auto value = to_json(measure_slices(std::vector{column}, answers({1, 0})));
  EXPECT_EQ(value[0]["value"], "dog");
  EXPECT_EQ(value[0]["accuracy"], 0.0);
  EXPECT_EQ(value[1]["interval"]["high"], 1.0);
}

class SplitColumn : public testing::Test {
 protected:
  void SetUp() override {
    auto made = TemporaryDirectory::create(fs::temp_directory_path(), "slices-test");
    ASSERT_TRUE(made) << made.error().message;
    folder_.emplace(std::move(*made));
    data::Repository repository(folder_->path());
    manifest_ = {"tiny", {"cat", "dog"}, {}, ""};
    add(repository, "a/dark.png", 0, 4, 2, {10, 10, 10}, "one.tar");
    add(repository, "a/red.png", 1, 2, 2, {255, 0, 0}, "one.tar");
    add(repository, "white.png", 1, 2, 4, {255, 255, 255}, "two.tar");
    auto opened = data::open_packed(repository, manifest_, data::Split::Test, {.width = 2, .height = 2}, {});
    ASSERT_TRUE(opened) << opened.error().message;
    split_.emplace(std::move(*opened));
  }
  void add(data::Repository& repository, const std::string& path, int label, int width, int height,
           std::array<std::uint8_t, 3> colour, const std::string& source) {
    image::Image picture{width, height, {}};
    for (std::size_t i = 0; i < picture.pixels(); ++i)
      picture.rgb.insert(picture.rgb.end(), colour.begin(), colour.end());
    const auto object = repository.put_object(image::encode_png(picture).value()).value();
    manifest_.entries.push_back({path, object, label, data::Split::Test, width, height, source});
  }
  std::vector<std::string> values(const std::string& name) {
    const auto column = split_column(name, *split_, manifest_).value();
    std::vector<std::string> each;
    for (const int value : column.value_of) each.push_back(column.values[static_cast<std::size_t>(value)]);
    return each;
  }
  std::optional<TemporaryDirectory> folder_;
  data::Manifest manifest_;
  std::optional<data::PackedSplit> split_;
};

TEST_F(SplitColumn, TellsWhatTheManifestKnowsOfEachImage) {
  EXPECT_THAT(values("class"), ElementsAre("cat", "dog", "dog"));
  EXPECT_THAT(values("size"), ElementsAre("8 px", "4 px", "8 px"));
  EXPECT_THAT(values("aspect"), ElementsAre("2.00", "1.00", "0.50"));
  EXPECT_THAT(values("width"), ElementsAre("4 px", "2 px", "2 px"));
  EXPECT_THAT(values("height"), ElementsAre("2 px", "2 px", "4 px"));
  EXPECT_THAT(values("source"), ElementsAre("one.tar", "one.tar", "two.tar"));
  EXPECT_THAT(values("folder"), ElementsAre("a", "a", ""));
}

TEST_F(SplitColumn, MeasuresBrightnessAsLuma) {
  EXPECT_THAT(values("brightness"), ElementsAre("10.0", "76.2", "255.0"));  // 0.299 * 255 = 76.245
}

TEST_F(SplitColumn, ListsTheColumnsWhenThereIsNoneOfThatName) {
  for (const auto& name : slice_columns()) EXPECT_TRUE(split_column(name, *split_, manifest_)) << name;
  const auto column = split_column("weather", *split_, manifest_);
  ASSERT_FALSE(column);
  EXPECT_THAT(column.error().message, HasSubstr("weather"));
  EXPECT_THAT(column.error().message, HasSubstr("class, brightness, size"));
}

}  // namespace
}  // namespace imago::evaluate
