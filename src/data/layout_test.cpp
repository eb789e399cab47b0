// SPDX-License-Identifier: Apache-2.0
#include "data/layout.hpp"

#include <gmock/gmock.h>

namespace imago::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Lays out files that are all sound images.
class LayOut : public ::testing::Test {
 protected:
  Result<Layout> lay_out(const std::vector<std::string>& files, const std::vector<std::string>& empty_folders = {}) {
    places_ = {};
    for (const auto& file : files) ++places_.all()[places_.find(file)].images;
    for (const auto& folder : empty_folders) places_.add_folder(folder);
    return data::lay_out(places_.all(), places_.folders());
  }
  std::string message(const std::vector<std::string>& files) {
    const auto layout = lay_out(files);
    return layout ? "it could be laid out" : layout.error().message;
  }
  /// "test cat", or the objection.
  std::string meaning(const Layout& layout, const std::string& file) {
    const auto& place = places_.all()[places_.find(file)];
    if (!place.objection.empty()) return place.objection;
    return fmt::format("{} {}", to_string(place.split), layout.labels[static_cast<std::size_t>(place.label)]);
  }

  Places places_;
};

TEST(ClassInName, IsWhatStandsBeforeANumberAndTheEndingOfAnImage) {
  EXPECT_EQ(class_in_name("cat.0.jpg"), "cat");
  EXPECT_EQ(class_in_name("a.b.12.JPEG"), "a.b");
  for (const char* name : {"cat.jpg", "0.jpg", ".0.jpg", "cat.x.jpg", "cat.1", "cat.1.", "cat.1.csv", "cat..jpg", ""})
    EXPECT_EQ(class_in_name(name), "") << name;
}

TEST_F(LayOut, TakesClassesFromFoldersOrFromNames) {
  for (const std::string enclosing : {"", "kaggle/", "a/b/"}) {
    const auto folders = lay_out({enclosing + "cat/1.jpg", enclosing + "dog/1.jpg", enclosing + "dog/old/2.jpg"});
    ASSERT_TRUE(folders) << folders.error().message;
    EXPECT_THAT(folders->labels, ElementsAre("cat", "dog"));
    EXPECT_EQ(folders->skip, enclosing.size());
    EXPECT_EQ(meaning(*folders, enclosing + "dog/old/2.jpg"), "train dog");

    const auto names = lay_out({enclosing + "cat.0.jpg", enclosing + "dog.0.jpg", enclosing + "dog.1.jpg"});
    ASSERT_TRUE(names) << names.error().message;
    EXPECT_THAT(names->labels, ElementsAre("cat", "dog"));
    EXPECT_EQ(names->skip, enclosing.size());
    EXPECT_EQ(meaning(*names, enclosing + "dog.7.jpg"), "train dog");

    const auto splits = lay_out({enclosing + "train/cat.0.jpg", enclosing + "train/dog.0.jpg",
                                 enclosing + "test/cat.5.jpg", enclosing + "val/dog.6.jpg"});
    ASSERT_TRUE(splits) << splits.error().message;
    EXPECT_EQ(meaning(*splits, enclosing + "test/cat.5.jpg"), "test cat");
    EXPECT_EQ(meaning(*splits, enclosing + "val/dog.6.jpg"), "validation dog");
  }
}

TEST_F(LayOut, NamesInClassFoldersSayNothing) {
  const auto layout = lay_out({"training_set/cats/cat.1.jpg", "training_set/dogs/dog.1.jpg"});
  ASSERT_TRUE(layout) << layout.error().message;
  EXPECT_THAT(layout->labels, ElementsAre("cats", "dogs"));
}

TEST_F(LayOut, RefusesBothFormsAtOnce) {
  EXPECT_THAT(message({"cat/1.jpg", "dog/1.jpg", "bird.3.jpg"}), HasSubstr("'bird.NUMBER' has its class in its name"));
  EXPECT_THAT(message({"train/cat/1.jpg", "train/dog/1.jpg", "train/cat.0.jpg"}),
              HasSubstr("'train/cat.NUMBER' has its class in its name: use one form"));
  EXPECT_THAT(message({"train/cat/1.jpg", "train/dog/1.jpg", "test/cat.0.jpg"}), HasSubstr("use one form"));
}

TEST_F(LayOut, SaysWhenNoClassCanBeTold) {
  EXPECT_THAT(message({"1.jpg", "2.jpg"}), HasSubstr("no class folder with images"));
  EXPECT_THAT(message({"train/1.jpg", "test/2.jpg"}), HasSubstr("right in 'train', which tells no class"));
  EXPECT_THAT(message({"cat.1.jpg", "cat.2.jpg"}), HasSubstr("only one class, 'cat'"));
  EXPECT_THAT(message({}), HasSubstr("no image that can be read"));
}

TEST_F(LayOut, ObjectsToImagesWithoutAClassBesideThoseThatHaveOne) {
  const auto names = lay_out({"train/cat.0.jpg", "train/dog.0.jpg", "train/x.jpg", "test1/1.jpg"});
  ASSERT_TRUE(names) << names.error().message;
  EXPECT_THAT(meaning(*names, "train/x.jpg"), HasSubstr("no class in its name"));
  EXPECT_THAT(meaning(*names, "test1/1.jpg"), HasSubstr("no class in its name"));
  const auto folders = lay_out({"train/cat/0.jpg", "train/dog/0.jpg", "train/x.jpg", "y.jpg"});
  ASSERT_TRUE(folders) << folders.error().message;
  EXPECT_THAT(meaning(*folders, "train/x.jpg"), HasSubstr("not in train/CLASS/"));
  EXPECT_THAT(meaning(*folders, "y.jpg"), HasSubstr("not in train/CLASS/"));
}

TEST_F(LayOut, TakesAClassNamedLikeASplit) {
  const auto layout = lay_out({"train/1.jpg", "plane/1.jpg", "ship/1.jpg"});
  ASSERT_TRUE(layout) << layout.error().message;
  EXPECT_THAT(layout->labels, ElementsAre("plane", "ship", "train"));
}

TEST_F(LayOut, NamesAClassOfWhichNoImageIsSound) {
  places_ = {};
  for (const char* file : {"cat.1.jpg", "dog.1.jpg"}) ++places_.all()[places_.find(file)].images;
  places_.find("bird.1.jpg");
  const auto layout = data::lay_out(places_.all(), places_.folders());
  ASSERT_FALSE(layout);
  EXPECT_THAT(layout.error().message, HasSubstr("class 'bird' has no image that can be read"));
}

TEST(PlacesTest, AreAsManyAsFoldersNotAsFiles) {
  Places places;
  for (int i = 0; i < 10'000; ++i) places.find(fmt::format("a/b/{}.jpg", i));
  EXPECT_EQ(places.all().size(), 1U);
  EXPECT_THAT(places.folders(), ElementsAre("a", "a/b"));
  for (int i = 0; i < 10'000; ++i) places.find(fmt::format("c/x{}.1.jpg", i));
  EXPECT_LE(places.all().size(), Places::kMostNames + 2) << "names that tell no classes";
}

}  // namespace
}  // namespace imago::data
