// SPDX-License-Identifier: Apache-2.0
#include "base/files.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace imago {
namespace {

using testing::HasSubstr;

class FilesTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path at(std::string_view name) const { return folder_.path() / name; }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()));
  }
  TemporaryDirectory folder_ = TemporaryDirectory::create(fs::temp_directory_path(), "files-test").value();
};

TEST_F(FilesTest, GivesBackWhatWasWritten) {
  const std::string content("a\0b\n\xff", 5);
  ASSERT_TRUE(write_file(at("plain"), content).has_value());
  ASSERT_TRUE(write_file_atomic(at("atomic"), content).has_value());
  EXPECT_EQ(read_file(at("plain")).value(), content);
  EXPECT_EQ(read_file(at("atomic")).value(), content);
  ASSERT_TRUE(write_file_atomic(at("atomic"), "").has_value());
  EXPECT_EQ(read_file(at("atomic")).value(), "");
  EXPECT_EQ(entries(), 2U) << "a temporary file is left";
}

TEST_F(FilesTest, TellsWhyAFileCannotBeRead) {
  EXPECT_EQ(read_file(at("none")).error().code, ErrorCode::NotFound);
  EXPECT_EQ(read_file(folder_.path()).error().code, ErrorCode::InvalidArgument);
  ASSERT_TRUE(write_file(at("eleven"), "12345678901").has_value());
  EXPECT_EQ(read_file(at("eleven"), 10).error().code, ErrorCode::ResourceExhausted);
  EXPECT_EQ(read_file(at("eleven"), 11).value().size(), 11U);
  EXPECT_THAT(read_file(at("none")).error().message, HasSubstr("none"));
}

TEST_F(FilesTest, ReadsFilesThatHaveNoSizeOfTheirOwn) {
  EXPECT_THAT(read_file("/proc/self/status").value(), HasSubstr("Pid:"));
  EXPECT_EQ(read_file("/dev/zero", 1000).error().code, ErrorCode::ResourceExhausted) << "endless, and not of size 0";
}

TEST_F(FilesTest, LeavesTheOldFileAndNothingElseWhenTheDiskIsFull) {
  ASSERT_TRUE(write_file_atomic(at("file"), "old").has_value());
  EXPECT_EQ(write_file("/dev/full", "x").error().code, ErrorCode::ResourceExhausted);
  const pid_t child = ::fork();
  if (child == 0) {  // a limit on file size fails a write in the middle, as a full disk does
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto written = write_file_atomic(at("file"), std::string(5000, 'x'));
    ::_exit(!written && written.error().code == ErrorCode::ResourceExhausted ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_file(at("file")).value(), "old");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FilesTest, IsOldOrNewForWhoeverReadsAndAfterAKill) {
  const std::string old_content(200'000, 'o');
  const std::string new_content(300'000, 'n');
  ASSERT_TRUE(write_file_atomic(at("file"), old_content).has_value());
  for (int round = 0; round < 10; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (;;) {
        if (!write_file_atomic(at("file"), new_content) || !write_file_atomic(at("file"), old_content)) ::_exit(1);
      }
    }
    for (int i = 0; i < 20 * (round + 1); ++i) {
      const std::string seen = read_file(at("file")).value();
      ASSERT_TRUE(seen == old_content || seen == new_content) << seen.size();
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "writing failed";
    const std::string left = read_file(at("file")).value();
    ASSERT_TRUE(left == old_content || left == new_content);
  }
}

TEST_F(FilesTest, PublishesAFolderWholeAndOnlyOnce) {
  ASSERT_TRUE(make_directories(at("staged/deep/er")).has_value());
  ASSERT_TRUE(write_file(at("staged/deep/er/file"), "x").has_value());
  ASSERT_TRUE(publish_directory(at("staged"), at("final")).has_value());
  EXPECT_EQ(read_file(at("final/deep/er/file")).value(), "x");
  EXPECT_FALSE(fs::exists(at("staged")));
  ASSERT_TRUE(make_directories(at("second")).has_value());
  EXPECT_EQ(publish_directory(at("second"), at("final")).error().code, ErrorCode::AlreadyExists);
  EXPECT_TRUE(fs::exists(at("second")));
  EXPECT_EQ(publish_directory(at("none"), at("other")).error().code, ErrorCode::NotFound);
}

TEST_F(FilesTest, DoesNotFollowALinkThatLeadsNowhereWhenPublishing) {
  ASSERT_TRUE(make_directories(at("staged")).has_value());
  fs::create_symlink("/no/such/file", at("staged/link"));
  EXPECT_FALSE(publish_directory(at("staged"), at("final")).has_value());
  EXPECT_FALSE(fs::exists(at("final")));
}

TEST_F(FilesTest, RemovesATemporaryFolderUnlessReleased) {
  fs::path gone, kept;
  {
    auto first = TemporaryDirectory::create(folder_.path(), "work").value();
    auto second = TemporaryDirectory::create(folder_.path(), "work").value();
    EXPECT_NE(first.path(), second.path());
    ASSERT_TRUE(write_file(first.path() / "file", "x").has_value());
    gone = first.path();
    kept = second.path();
    second.release();
    auto moved = std::move(first);
    EXPECT_TRUE(fs::exists(gone));
  }
  EXPECT_FALSE(fs::exists(gone));
  EXPECT_TRUE(fs::exists(kept));
}

TEST_F(FilesTest, MapsAFileEvenAnEmptyOne) {
  ASSERT_TRUE(write_file(at("file"), "mapped").has_value());
  auto mapped = MappedFile::open(at("file")).value();
  const MappedFile moved = std::move(mapped);
  EXPECT_EQ(as_text(moved.bytes()), "mapped");
  ASSERT_TRUE(write_file(at("empty"), "").has_value());
  EXPECT_TRUE(MappedFile::open(at("empty")).value().bytes().empty());
  EXPECT_EQ(MappedFile::open(at("none")).error().code, ErrorCode::NotFound);
  EXPECT_EQ(MappedFile::open(folder_.path()).error().code, ErrorCode::InvalidArgument);
}

TEST_F(FilesTest, ClosesADescriptorOnce) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  {
    UniqueFd first(ends[0]);
    const UniqueFd second = std::move(first);
    EXPECT_FALSE(first);
    EXPECT_EQ(second.get(), ends[0]);
  }
  EXPECT_EQ(::close(ends[0]), -1) << "still open";
  ::close(ends[1]);
}

TEST_F(FilesTest, LocksOutOthersUntilTheHolderDies) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = FileLock::lock(at("lock"));
    if (!held || ::write(ready[1], "x", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(FileLock::try_lock(at("lock")).error().code, ErrorCode::Unavailable);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  {
    const auto held = FileLock::lock(at("lock"));
    ASSERT_TRUE(held.has_value());
    EXPECT_FALSE(FileLock::try_lock(at("lock")).has_value()) << "a second one in the same process";
  }
  EXPECT_TRUE(FileLock::try_lock(at("lock")).has_value());
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace
}  // namespace imago
