// SPDX-License-Identifier: Apache-2.0
#include "base/line_writer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

namespace imago {
namespace {

std::string loss_line(std::size_t lost) { return "lost " + std::to_string(lost); }

/// A pipe with a reader that starts when told.
class LineWriterTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(pipe(ends_.data()), 0); }
  void TearDown() override {
    if (reader_.joinable()) reader_.join();
    close(ends_[0]);
  }
  void read_all() {
    reader_ = std::thread([this] {
      char buffer[10'000];
      for (ssize_t n = 0; (n = read(ends_[0], buffer, sizeof buffer)) > 0;)
        got_.append(buffer, static_cast<std::size_t>(n));
    });
  }
  std::string finish() {
    close(ends_[1]);
    reader_.join();
    return got_;
  }

  std::array<int, 2> ends_{};
  std::thread reader_;
  std::string got_;
};

TEST_F(LineWriterTest, WritesTheLinesOfEachThreadInOrderAndWhole) {
  read_all();
  {
    LineWriter writer(ends_[1], &loss_line);
    std::vector<std::thread> threads;
    for (char name = 'a'; name < 'd'; ++name) {
      threads.emplace_back([&writer, name] {
        for (int i = 0; i < 5000; ++i) EXPECT_TRUE(writer.append(name + std::to_string(i)));
      });
    }
    for (auto& thread : threads) thread.join();
  }
  const std::string text = finish();
  std::array<int, 3> next{};
  std::size_t at = 0;
  for (std::size_t end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    int& expected = next.at(static_cast<std::size_t>(text[at] - 'a'));
    ASSERT_EQ(text.substr(at + 1, end - at - 1), std::to_string(expected));
    ++expected;
  }
  EXPECT_EQ(at, text.size());
  EXPECT_EQ(next, (std::array<int, 3>{5000, 5000, 5000}));
}

TEST_F(LineWriterTest, HasWrittenEverythingAfterAFlush) {
  LineWriter writer(ends_[1], &loss_line);
  writer.append("one");
  writer.append("two");
  writer.flush();
  ASSERT_EQ(fcntl(ends_[0], F_SETFL, O_NONBLOCK), 0);
  char buffer[100];
  EXPECT_EQ(read(ends_[0], buffer, sizeof buffer), 8);
  close(ends_[1]);
}

TEST_F(LineWriterTest, LosesLinesRatherThanWaitForAReader) {
  std::size_t accepted = 0;
  {
    LineWriter writer(ends_[1], &loss_line, 100'000);
    const std::string line(999, 'x');
    for (int i = 0; i < 1000; ++i) accepted += writer.append(line) ? 1 : 0;  // nobody reads: these return all the same
    EXPECT_LT(accepted, 400U);  // 100 that wait, and 64 KiB in the pipe, and what the thread holds
    read_all();
  }
  const std::string text = finish();
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(text, 'x')), accepted * 999);
  std::size_t lost = 0;
  for (auto at = text.find("lost "); at != std::string::npos; at = text.find("lost ", at + 1))
    lost += std::stoul(text.substr(at + 5));
  EXPECT_EQ(lost, 1000 - accepted);
}

TEST_F(LineWriterTest, TakesALineLongerThanThePipe) {
  read_all();
  {
    LineWriter writer(ends_[1], &loss_line);
    writer.append(std::string(300'000, 'x'));
  }
  EXPECT_EQ(finish(), std::string(300'000, 'x') + '\n');
}

}  // namespace
}  // namespace imago
