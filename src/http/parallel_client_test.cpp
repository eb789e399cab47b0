// SPDX-License-Identifier: Apache-2.0
#include "http/parallel_client.hpp"

#include <gmock/gmock.h>

#include <map>
#include <mutex>

#include "http/test_server.hpp"

namespace imago::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

class ParallelClientTest : public testing::RunningServer {
 protected:
  std::vector<Route> routes() override {
    const auto echo = [](const Request& request, Responder responder) {
      responder.send({.body = request.header("X-Prefix").empty()
                                  ? request.body
                                  : std::string(request.header("X-Prefix")) + request.body});
    };
    const auto hold = [this](const Request&, Responder responder) {
      const std::scoped_lock lock(mutex_);
      held_.push_back(std::move(responder));
    };
    const auto long_one = [](const Request&, Responder responder) {
      responder.send({.body = std::string(3u << 20, 'x')});
    };
    return {{"POST", "/echo", echo}, {"POST", "/hold", hold}, {"POST", "/long", long_one}};
  }
  void TearDown() override {
    {
      const std::scoped_lock lock(mutex_);
      held_.clear();
    }
    RunningServer::TearDown();
  }

  std::unique_ptr<ParallelClient> open(std::string_view path, int connections,
                                       milliseconds timeout = milliseconds(10'000)) const {
    return ParallelClient::open(
               {.url = url(path), .connections = connections, .headers = {{"X-Prefix", "> "}}, .timeout = timeout})
        .value();
  }
  static steady_clock::time_point soon() { return steady_clock::now() + milliseconds(200); }

  std::mutex mutex_;
  std::vector<Responder> held_;
};

TEST_F(ParallelClientTest, GivesEachRequestItsOwnAnswer) {
  start();
  const auto client = open("/echo", 8);
  std::vector<std::string> bodies;
  for (int i = 0; i < 200; ++i) bodies.push_back(std::to_string(i));
  std::map<std::uint64_t, std::string> answers;
  std::size_t sent = 0;
  while (answers.size() < bodies.size()) {
    for (; sent < bodies.size() && client->idle() > 0; ++sent) client->post(sent, bodies[sent]);
    client->wait(soon(), [&](const ParallelAnswer& answer) {
      EXPECT_EQ(answer.status, 200);
      answers[answer.ticket] = answer.body;
    });
  }
  for (std::size_t i = 0; i < bodies.size(); ++i) EXPECT_EQ(answers[i], "> " + bodies[i]);
  EXPECT_EQ(client->idle(), 8U);
}

TEST_F(ParallelClientTest, MaySendTheNextFromWithinAnAnswer) {
  start();
  const auto client = open("/echo", 1);
  const std::string body = "x";
  std::uint64_t count = 0;
  client->post(0, body);
  while (count < 50)
    client->wait(soon(), [&](const ParallelAnswer&) {
      if (++count < 50) client->post(count, body);
    });
  EXPECT_EQ(client->idle(), 1U);
}

TEST_F(ParallelClientTest, WaitsNoLongerThanItIsTold) {
  start();
  const auto client = open("/hold", 1);
  client->post(1, "");
  const auto until = steady_clock::now() + milliseconds(30);
  while (steady_clock::now() < until)
    client->wait(until, [](const ParallelAnswer&) { FAIL() << "nobody has answered"; });
  EXPECT_LT(steady_clock::now(), until + milliseconds(500));
  EXPECT_EQ(client->idle(), 0U);
}

TEST_F(ParallelClientTest, TellsWhatWentWrong) {
  start();
  std::map<std::uint64_t, std::string> problems;
  const auto note = [&](const ParallelAnswer& answer) {
    EXPECT_EQ(answer.status, 0);
    problems[answer.ticket] = answer.problem;
  };
  const auto impatient = open("/hold", 1, milliseconds(20));
  impatient->post(1, "");
  while (problems.empty()) impatient->wait(soon(), note);
  EXPECT_THAT(problems[1], HasSubstr("imeout"));
  const auto flooded = open("/long", 1);
  flooded->post(2, "");
  while (problems.size() < 2) flooded->wait(soon(), note);
  EXPECT_FALSE(problems[2].empty()) << "an answer of 3 MiB is not kept";
}

}  // namespace
}  // namespace imago::http
