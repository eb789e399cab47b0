// SPDX-License-Identifier: Apache-2.0
#include "load/drive.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace imago::load {
namespace {

using std::chrono::duration;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::HasSubstr;

/// A server and its clock: each request is answered when `answered_at` says.
class FakeServer final : public Transport {
 public:
  FakeServer(FakeClock& clock, std::size_t connections) : clock_(clock), start_(clock.steady()), idle_(connections) {}

  std::function<nanoseconds(nanoseconds sent)> answered_at = [](nanoseconds sent) { return sent + milliseconds(10); };
  std::function<std::string(std::size_t image)> body = [](std::size_t image) {
    return fmt::format(R"({{"class_index":{}}})", image);
  };
  int status = 200;
  std::size_t sends = 0;

  [[nodiscard]] std::size_t idle() const override { return idle_; }
  void send(std::uint64_t ticket, std::size_t image) override {
    ++sends;
    --idle_;
    on_way_.emplace(start_ + answered_at(clock_.steady() - start_), std::pair(ticket, image));
  }
  void wait(SteadyTime until, const std::function<void(const Answer&)>& on_answer) override {
    const auto next = on_way_.empty() ? until : std::min(until, on_way_.begin()->first);
    if (next > clock_.steady()) clock_.advance(next - clock_.steady());
    while (!on_way_.empty() && on_way_.begin()->first <= clock_.steady()) {
      const auto [ticket, image] = on_way_.begin()->second;
      on_way_.erase(on_way_.begin());
      ++idle_;
      const std::string text = body(image);
      on_answer({ticket, status, text, "gone"});
    }
  }

 private:
  FakeClock& clock_;
  const SteadyTime start_;
  std::size_t idle_;
  std::multimap<SteadyTime, std::pair<std::uint64_t, std::size_t>> on_way_;
};

class DriveTest : public testing::Test {
 protected:
  Measured run(FakeServer& server, const Plan& plan) {
    return drive(server, plan, {0, 1, 2}, clock_, stop_, [this](const auto&) { ++ticks_; });
  }
  static double ms(const Measured& measured, double share) {
    return static_cast<double>(measured.latencies.quantile(share).count()) / 1000.0;
  }

  FakeClock clock_;
  std::atomic<bool> stop_{false};
  int ticks_ = 0;
};

TEST_F(DriveTest, KeepsEachConnectionBusyInAClosedLoop) {
  FakeServer server(clock_, 4);
  const auto measured = run(server, {.seconds = seconds(2)});
  EXPECT_EQ(measured.right, 800U);
  EXPECT_EQ(server.sends, 800U);
  EXPECT_NEAR(measured.seconds, 2.0, 1e-9);
  EXPECT_NEAR(measured.throughput(), 400.0, 1e-6);
  EXPECT_NEAR(ms(measured, 0.5), 10.0, 0.05);
  EXPECT_EQ(measured.slowest, milliseconds(10));
  EXPECT_EQ(measured.wrong + measured.failed + measured.unsent, 0U);
  EXPECT_NEAR(ticks_, 20, 2);
}

TEST_F(DriveTest, SendsAtItsRateInAnOpenLoop) {
  FakeServer server(clock_, 100);
  const auto measured = run(server, {.seconds = seconds(2), .rate = 250.0, .pace = Pace::Fixed});
  EXPECT_NEAR(static_cast<double>(measured.right), 500.0, 1.0);
  EXPECT_NEAR(ms(measured, 0.99), 10.0, 0.05);
  EXPECT_EQ(measured.lateness.quantile(1.0).count(), 0);
}

// Coordinated omission: 1000 requests a second, and the server stands still for the sixth second. A tool that counts
// from the send, on its ten connections, sees ten slow requests of nine thousand. A thousand were due meanwhile; the
// slowest hundred of the ten thousand waited 0.9 s and more.
TEST_F(DriveTest, CountsWhatWasDueWhileTheServerStoodStill) {
  FakeServer server(clock_, 10);
  server.answered_at = [](nanoseconds sent) {
    return std::max<nanoseconds>(sent, sent < seconds(5) ? nanoseconds(0) : seconds(6)) + milliseconds(1);
  };
  const auto measured = run(server, {.seconds = seconds(10), .rate = 1000.0, .pace = Pace::Fixed});
  EXPECT_NEAR(static_cast<double>(measured.right), 10'000.0, 1.0);
  EXPECT_NEAR(ms(measured, 0.5), 1.0, 0.05);
  EXPECT_GT(ms(measured, 0.99), 890.0);
  EXPECT_GT(ms(measured, 0.95), 450.0);
  EXPECT_NEAR(static_cast<double>(measured.since_sent.quantile(0.99).count()), 1000.0, 5.0) << "of ten in ten thousand";
  EXPECT_LE(measured.slowest, milliseconds(1001));
}

TEST_F(DriveTest, CountsAsLateWhatItCouldNotSend) {
  FakeServer server(clock_, 1);  // 100 a second
  const auto measured =
      run(server, {.seconds = seconds(1), .rate = 1000.0, .pace = Pace::Fixed, .patience = milliseconds(500)});
  EXPECT_NEAR(static_cast<double>(measured.right), 150.0, 1.0);
  EXPECT_NEAR(static_cast<double>(measured.right + measured.unsent), 1000.0, 2.0);
  EXPECT_GT(ms(measured, 0.5), 900.0);
}

TEST_F(DriveTest, ChecksTheClassOfEveryAnswer) {
  FakeServer server(clock_, 1);
  server.body = [](std::size_t image) { return fmt::format(R"({{"class_index":{}}})", image == 2 ? 7 : image); };
  const auto measured = run(server, {.seconds = milliseconds(300)});
  EXPECT_EQ(measured.right, 20U);
  EXPECT_EQ(measured.wrong, 10U);
  EXPECT_THAT(measured.first_problem, HasSubstr("image 2 is of class 2, the model says; the answer was 7"));
}

TEST_F(DriveTest, CountsFailuresByStatusWithTheFirstReason) {
  FakeServer server(clock_, 1);
  server.status = 503;
  server.body = [](std::size_t) { return std::string("the queue is full"); };
  const auto measured = run(server, {.seconds = milliseconds(100)});
  EXPECT_EQ(measured.failed, 10U);
  EXPECT_EQ(measured.by_status.at(503), 10U);
  EXPECT_EQ(measured.latencies.count(), 0U) << "a quick refusal is no quick answer";
  EXPECT_EQ(measured.first_problem, "503: the queue is full");
}

TEST_F(DriveTest, DoesNotWaitForeverForAnAnswer) {
  FakeServer server(clock_, 2);
  server.answered_at = [](nanoseconds) { return std::chrono::hours(1); };
  const auto measured = run(server, {.seconds = seconds(1), .patience = seconds(2)});
  EXPECT_EQ(measured.failed, 2U);
  EXPECT_EQ(measured.first_problem, "no answer in time");
  EXPECT_GE(measured.slowest, seconds(3));
}

TEST_F(DriveTest, ReturnsWhatItHasWhenStopped) {
  FakeServer server(clock_, 1);
  const auto measured = drive(server, {.seconds = seconds(100)}, {0}, clock_, stop_, [this](const Measured& so_far) {
    if (so_far.right >= 50) stop_ = true;
  });
  EXPECT_GE(measured.right, 50U);
  EXPECT_LT(measured.right, 100U);
  EXPECT_NEAR(measured.throughput(), 100.0, 1.0);
}

TEST(ClassIn, ReadsTheIndexOfAnAnswer) {
  EXPECT_EQ(class_in(R"({"prediction":"frog","class_index":6,"confidence":0.9})"), 6);
  EXPECT_EQ(class_in(R"({"class_index":12})"), 12);
  EXPECT_EQ(class_in(R"({"prediction":"frog"})"), -1);
  EXPECT_EQ(class_in(R"({"class_index":null})"), -1);
  EXPECT_EQ(class_in(R"("class_index":)"), -1);
  EXPECT_EQ(class_in(""), -1);
}

}  // namespace
}  // namespace imago::load
