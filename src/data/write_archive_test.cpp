// SPDX-License-Identifier: Apache-2.0
#include "data/write_archive.hpp"

#include <gmock/gmock.h>

#include "base/files.hpp"
#include "data/source.hpp"

namespace imago::data {
namespace {

class WriteTar : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(make_directories(folder() / "golden").has_value());
    ASSERT_TRUE(write_file(folder() / "b.txt", "b").has_value());
    ASSERT_TRUE(write_file(folder() / "empty", "").has_value());
    ASSERT_TRUE(write_file(folder() / "golden/0.jpg", std::string(100'000, 'x')).has_value());
  }
  [[nodiscard]] fs::path folder() const { return temporary_.path() / "in"; }
  [[nodiscard]] fs::path target() const { return temporary_.path() / "out.tar"; }
  std::string written(const std::vector<std::string>& files) {
    const auto done = write_tar(folder(), files, target());
    EXPECT_TRUE(done.has_value()) << done.error().message;
    return read_file(target()).value();
  }

  TemporaryDirectory temporary_ = TemporaryDirectory::create(fs::temp_directory_path(), "tar-test").value();
};

TEST_F(WriteTar, IsReadBackAsItWas) {
  written({"golden/0.jpg", "empty", "b.txt"});
  std::vector<std::pair<std::string, std::size_t>> read;
  const auto done = read_archive(target(), {}, [&](SourceItem item) -> Result<void> {
    read.emplace_back(item.path, item.bytes.size());
    return {};
  });
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_THAT(read,
              testing::ElementsAre(std::pair("b.txt", 1), std::pair("empty", 0), std::pair("golden/0.jpg", 100'000)));
}

TEST_F(WriteTar, DependsOnNothingButNamesAndContent) {
  const auto first = written({"b.txt", "golden/0.jpg"});
  fs::last_write_time(folder() / "b.txt", fs::file_time_type::clock::now() - std::chrono::hours(1000));
  fs::permissions(folder() / "b.txt", fs::perms::owner_all);
  EXPECT_EQ(written({"golden/0.jpg", "b.txt"}), first) << "order, time and mode of the files do not count";
}

TEST_F(WriteTar, LeavesNothingBehindWhenAFileIsMissing) {
  const auto done = write_tar(folder(), {"b.txt", "nosuch"}, target());
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::NotFound);
  EXPECT_THAT(done.error().message, testing::HasSubstr("nosuch"));
  EXPECT_FALSE(fs::exists(target()));
  EXPECT_EQ(std::distance(fs::directory_iterator(temporary_.path()), {}), 1) << "only the folder it read";
}

}  // namespace
}  // namespace imago::data
