// SPDX-License-Identifier: Apache-2.0
#include "data/uploads.hpp"

#include <gmock/gmock.h>

#include "base/npy.hpp"
#include "data/test_data.hpp"
#include "store/database.hpp"

namespace imago::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::picture;
using testing::tar_of;
using testing::zip_of;

const std::vector<std::string> kLabels{"automobile", "cat", "dog"};

class UploadsTest : public testing::FolderTest {
 protected:
  UploadsTest()
      : database(store::Database::open("sqlite:" + (folder() / "imago.db").string()).value()),
        uploads(*database, folder() / "uploads") {}

  UploadReport add(const std::vector<IncomingFile>& files, const std::vector<std::string>& labels = kLabels) {
    auto report = uploads.add(files, labels);
    EXPECT_TRUE(report) << report.error().message;
    return report ? std::move(*report) : UploadReport{};
  }
  /// Why a file is refused alone; everything is as before.
  std::string reason(const IncomingFile& file) {
    const auto report = add({file});
    EXPECT_THAT(report.accepted, IsEmpty());
    EXPECT_EQ(stored(), 0U);
    EXPECT_EQ(report.rejected.size(), 1U);
    return report.rejected.empty() ? "nothing was refused" : report.rejected.front().reason;
  }
  /// Whatever lies in the folder.
  [[nodiscard]] std::size_t stored() const {
    std::error_code error;
    std::size_t count = 0;
    for (fs::recursive_directory_iterator it(folder() / "uploads", error), end; !error && it != end;
         it.increment(error))
      ++count;
    return count;
  }
  static std::vector<std::string> labels_of(const std::vector<Upload>& uploads) {
    std::vector<std::string> labels;
    for (const auto& upload : uploads) labels.push_back(upload.label);
    return labels;
  }
  /// As if it had been there for two hours.
  void age(const fs::path& path) const {
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(2));
  }

  std::unique_ptr<store::Database> database;
  Uploads uploads;
};

TEST_F(UploadsTest, KeepsAnImageAsItIsUnderARandomName) {
  const auto bytes = picture(1, 8, 6);
  const auto report = add({{"holiday/cat/my cat.jpg", "", bytes}});
  ASSERT_EQ(report.accepted.size(), 1U);
  const auto& upload = report.accepted.front();
  EXPECT_EQ(upload.name, "holiday/cat/my cat.jpg");
  EXPECT_EQ(upload.label, "cat") << "its folder names it";
  EXPECT_EQ(upload.sha256, sha256(bytes));
  EXPECT_EQ(upload.bytes, bytes.size());
  EXPECT_EQ(upload.width, 8);
  EXPECT_EQ(upload.height, 6);
  EXPECT_THAT(upload.id, ::testing::MatchesRegex("u[0-9a-f]{16}"));
  EXPECT_EQ(read_file(folder() / "uploads" / upload.id).value(), bytes);
  EXPECT_EQ(uploads.read(upload.id).value(), bytes);
  EXPECT_EQ(stored(), 1U);
}

TEST_F(UploadsTest, SurvivesTheProcess) {
  const auto id = add({{"cat/1.png", "", picture(1)}}).accepted.front().id;
  database.reset();
  const auto again = store::Database::open("sqlite:" + (folder() / "imago.db").string()).value();
  Uploads other(*again, folder() / "uploads");
  ASSERT_EQ(other.staged().value().size(), 1U);
  EXPECT_EQ(other.staged().value().front().id, id);
  EXPECT_EQ(other.read(id).value(), picture(1));
}

TEST_F(UploadsTest, KnowsLabelsByOtherNamesAndSaysWhichItTook) {
  const auto a = picture(1), b = picture(2), c = picture(3), d = picture(4);
  const auto report = add({{"1.png", "car", a}, {"2.png", "cars", b}, {"3.png", "car", c}, {"4.png", " dog ", d}});
  EXPECT_THAT(labels_of(report.accepted), ElementsAre("automobile", "automobile", "automobile", "dog"));
  ASSERT_EQ(report.aliases.size(), 2U);
  EXPECT_EQ(report.aliases[0].given, "car");
  EXPECT_EQ(report.aliases[0].label, "automobile");
  EXPECT_EQ(report.aliases[0].files, 2U);
  EXPECT_EQ(report.aliases[1].given, "cars");
}

TEST_F(UploadsTest, TakesAnyLabelWhereNoneAreKnown) {
  const auto bytes = picture(1);
  EXPECT_THAT(labels_of(add({{"a.png", "Zebra", bytes}}, {}).accepted), ElementsAre("Zebra"));
  EXPECT_THAT(add({{"a.png", "a/b", bytes}}, {}).rejected.front().reason, HasSubstr("'a/b' cannot be a label"));
  EXPECT_THAT(add({{"a.png", std::string(65, 'x'), bytes}}, {}).accepted, IsEmpty());
}

TEST_F(UploadsTest, KeepsUnlabelledOnesApartUntilSomebodyLabelsThem) {
  const auto a = picture(1), b = picture(2);
  const auto report = add({{"a.png", "", a}, {"b.png", "dog", b}});
  const auto& id = report.accepted.front().id;
  EXPECT_EQ(uploads.staged(false).value().size(), 1U);
  EXPECT_EQ(uploads.staged(true).value().size(), 1U);
  EXPECT_EQ(uploads.staged().value().size(), 2U);
  EXPECT_EQ(uploads.set_label(id, "kitten", kLabels).value().label, "cat");
  EXPECT_THAT(uploads.staged(false).value(), IsEmpty());
  const auto wrong = uploads.set_label(id, "zebra", kLabels);
  EXPECT_EQ(wrong.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(wrong.error().message, HasSubstr("automobile, cat, dog"));
  EXPECT_EQ(uploads.set_label("u0000000000000000", "cat", kLabels).error().code, ErrorCode::NotFound);
  EXPECT_EQ(uploads.set_label(id, "", kLabels).value().label, "") << "taken away again";
}

TEST_F(UploadsTest, ForgetsWhatIsRemoved) {
  const auto id = add({{"a.png", "", picture(1)}}).accepted.front().id;
  ASSERT_TRUE(uploads.remove(id));
  EXPECT_EQ(stored(), 0U);
  EXPECT_EQ(uploads.read(id).error().code, ErrorCode::NotFound);
  EXPECT_EQ(uploads.remove(id).error().code, ErrorCode::NotFound);
  EXPECT_EQ(uploads.find({id}).error().code, ErrorCode::NotFound);
}

TEST_F(UploadsTest, OpensArchivesAndTakesTheirFoldersForLabels) {
  const std::vector<std::pair<std::string, std::string>> files{{"new/train/cat/1.png", picture(1)},
                                                               {"new/train/puppy/2.png", picture(2)},
                                                               {"3.png", picture(3)},
                                                               {"new/.DS_Store", "x"},
                                                               {"new/train/cat/note.txt", "Hello"}};
  for (const auto& archive : {zip_of(files), tar_of(files)}) {
    const auto report = add({{"photos.bin", "", archive}});
    EXPECT_THAT(labels_of(report.accepted), ElementsAre("cat", "dog", ""));
    EXPECT_EQ(report.accepted.front().name, "photos.bin/new/train/cat/1.png");
    ASSERT_EQ(report.rejected.size(), 2U);
    EXPECT_EQ(report.rejected[0].reason, "a hidden file");
    EXPECT_THAT(report.rejected[1].reason, HasSubstr("not an image we read: starts with 'Hello'"));
    ASSERT_EQ(report.aliases.size(), 1U);
  }
  const auto zip = zip_of({{"1.png", picture(1)}, {"dog/2.png", picture(2)}});
  EXPECT_THAT(labels_of(add({{"a.zip", "cat", zip}}).accepted), ElementsAre("cat", "cat")) << "a label for all of it";
}

TEST_F(UploadsTest, TurnsArraysIntoPngImages) {
  const auto npz = zip_of({{"x_new.npy", npy_header("|u1", {2, 1, 1, 3}) + "\1\2\3\4\5\6"},
                           {"y_new.npy", npy_header("|u1", {2}) + std::string("\2\7")}});
  const auto report = add({{"new_data.npz", "", npz}});
  ASSERT_EQ(report.accepted.size(), 1U);
  EXPECT_EQ(report.accepted.front().name, "new_data.npz[0]");
  EXPECT_EQ(report.accepted.front().label, "dog");
  EXPECT_EQ(uploads.read(report.accepted.front().id).value(), image::encode_png({1, 1, {1, 2, 3}}).value());
  EXPECT_THAT(report.rejected.front().reason, HasSubstr("none of the classes 0 to 2 (automobile, cat, dog)"));
}

TEST_F(UploadsTest, RefusesWhatIsNoImageAndNamesThatLeadElsewhere) {
  const auto image = picture(1);
  EXPECT_THAT(reason({"cat/1.jpg", "", "just text"}), HasSubstr("not an image we read: starts with 'just"));
  EXPECT_THAT(reason({"cat/1.png", "", std::string_view(image).substr(0, image.size() / 2)}), HasSubstr("PNG"));
  EXPECT_EQ(reason({"cat/1.jpg", "", ""}), "it is empty");
  for (const auto* name : {"../x.png", "/etc/x.png", "cat/../../x.png", "C:\\x.png", "cat//x.png"})
    EXPECT_THAT(reason({name, "", image}), HasSubstr("absolute, or has \"..\"")) << name;
  EXPECT_THAT(reason({"a\x1b[2J.png", "", image}), HasSubstr("control characters"));
  EXPECT_THAT(reason({"\xFF.png", "", image}), HasSubstr("UTF-8"));
  EXPECT_THAT(reason({std::string(2000, 'x'), "", image}), HasSubstr("2000 bytes"));
  EXPECT_THAT(reason({"zebra/1.png", "", image}), HasSubstr("label 'zebra' is not one of automobile, cat, dog"));
}

TEST_F(UploadsTest, RefusesHostileArchivesWhole) {
  const auto image = picture(1);
  EXPECT_THAT(reason({"a.zip", "", zip_of({{"cat/1.png", image}, {"../evil.png", image}})}), HasSubstr("leads out"));
  EXPECT_THAT(reason({"a.tar", "", tar_of({{"cat/1.png", image}, {"/etc/evil.png", image}})}), HasSubstr("leads out"));
  std::vector<std::pair<std::string, std::string>> bomb{{"cat/1.png", image}};
  for (int i = 0; i < 6; ++i) bomb.emplace_back(fmt::format("cat/{}.bmp", i), std::string(8U << 20, '\0'));
  EXPECT_THAT(reason({"bomb.zip", "", zip_of(bomb)}), HasSubstr("refused as a bomb"));
  const auto zip = zip_of({{"cat/1.png", image}, {"cat/2.png", picture(2)}});
  EXPECT_THAT(reason({"cut.zip", "", std::string_view(zip).substr(0, 100)}), HasSubstr("cut.zip"));
  EXPECT_THAT(reason({"empty.zip", "", zip_of({})}), HasSubstr("empty.zip"));
  EXPECT_THAT(reason({"empty.tar", "", tar_of({{"cat/", ""}})}), HasSubstr("no files"));
  EXPECT_THAT(reason({"a.zip", "", zip_of({{"inner.zip", zip}})}), HasSubstr("not an image"));
}

TEST_F(UploadsTest, TakesNothingWhenThereAreTooManyFiles) {
  const auto image = picture(1);
  const std::vector<IncomingFile> files(kMaxUploadFiles + 1, {"1.png", "zebra", image});
  const auto direct = uploads.add(files, kLabels);
  EXPECT_EQ(direct.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(direct.error().message, HasSubstr("more than 10000 files"));
  std::vector<std::pair<std::string, std::string>> members{{"cat/good.png", image}};
  for (std::size_t i = 0; i < kMaxUploadFiles; ++i) members.emplace_back(fmt::format("cat/{}", i), "x");
  const auto packed = uploads.add({{"a.tar", "", tar_of(members)}}, kLabels);
  EXPECT_EQ(packed.error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(stored(), 0U);
  EXPECT_THAT(uploads.staged().value(), IsEmpty());
}

TEST_F(UploadsTest, LeavesNothingBehindWhenTheRowsCannotBeWritten) {
  ASSERT_TRUE(database->execute("DROP TABLE uploads", {}));
  const auto report = uploads.add({{"cat/1.png", "", picture(1)}}, kLabels);
  EXPECT_FALSE(report);
  EXPECT_EQ(stored(), 0U);
}

TEST_F(UploadsTest, SweepsAwayWhatAKilledProcessLeftButNotWhatOneIsDoing) {
  const auto kept = add({{"cat/1.png", "", picture(1)}}).accepted.front().id;
  put("uploads/u00000000000000aa", "killed between file and row");
  put("uploads/u00000000000000bb", "another process is between file and row");
  put("uploads/.incoming-old/u00000000000000cc", "killed in the middle");
  put("uploads/.incoming-new/u00000000000000dd", "in the middle");
  put("uploads/README", "not ours");
  for (const auto* name : {"u00000000000000aa", ".incoming-old", "README"}) age(folder() / "uploads" / name);
  age(folder() / "uploads" / kept);
  const Uploads next(*database, folder() / "uploads");
  EXPECT_FALSE(fs::exists(folder() / "uploads/u00000000000000aa"));
  EXPECT_FALSE(fs::exists(folder() / "uploads/.incoming-old"));
  for (const auto& name : {kept, std::string("u00000000000000bb"), std::string(".incoming-new"), std::string("README")})
    EXPECT_TRUE(fs::exists(folder() / "uploads" / name)) << name;
}

TEST_F(UploadsTest, NoticesAFileThatWasChanged) {
  const auto id = add({{"cat/1.png", "", picture(1)}}).accepted.front().id;
  ASSERT_TRUE(write_file(folder() / "uploads" / id, picture(2)));
  EXPECT_EQ(uploads.read(id).error().code, ErrorCode::Corrupt);
}

}  // namespace
}  // namespace imago::data
