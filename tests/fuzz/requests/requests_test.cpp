// SPDX-License-Identifier: Apache-2.0
// The client that asks a server anything must see when an answer is wrong.
#include <gtest/gtest.h>

#include "fuzz/requests/judge.hpp"
#include "fuzz/requests/mutate.hpp"

namespace imago::fuzz {
namespace {

constexpr std::string_view kError = R"({"error":"no","detail":"no","code":"invalid_argument","request_id":"f1"})";

std::string wire(int status, std::string_view headers, std::string_view body) {
  return fmt::format("HTTP/1.1 {} Word\r\n{}Content-Length: {}\r\n\r\n{}", status, headers, body.size(), body);
}

Answer answer(int status, std::string_view body, std::string_view id = "f1", std::string_view more = "") {
  AnswerReader reader;
  reader.add(wire(status, fmt::format("Content-Type: application/json\r\nX-Request-ID: {}\r\n{}", id, more), body));
  return *reader.next("GET").value();
}

Judge judge() {
  return *Judge::open(*json::parse(
      R"({"paths":{"/predict":{"post":{"responses":{"200":{},"400":{},"503":{},"504":{}}}},
                   "/jobs/{id}":{"get":{"responses":{"200":{}}}},"/jobs/events":{"get":{"responses":{"202":{}}}}}})"));
}

const Attempt kPredict{.kind = Kind::Sound, .method = "POST", .path = "/predict", .id = "f1"};

TEST(Judge, TakesWhatIsDocumented) {
  EXPECT_EQ(judge().fault_of(kPredict, answer(200, "{}")), "");
  EXPECT_EQ(judge().fault_of(kPredict, answer(400, kError)), "");
  EXPECT_EQ(judge().fault_of(kPredict, answer(503, kError, "f1", "Retry-After: 1\r\n")), "");
  EXPECT_EQ(judge().fault_of({.method = "GET", .path = "/jobs/7"}, answer(200, "[]")), "");
  EXPECT_EQ(judge().fault_of({.method = "GET", .path = "/jobs/events"}, answer(202, "[]")), "");
}

TEST(Judge, BlamesWhatIsNot) {
  EXPECT_NE(judge().fault_of(kPredict, answer(500, kError)), "");
  EXPECT_NE(judge().fault_of(kPredict, answer(202, "{}")), "") << "another operation's status";
  EXPECT_NE(judge().fault_of({.method = "GET", .path = "/jobs/events"}, answer(200, "[]")), "");
  EXPECT_NE(judge().fault_of(kPredict, answer(503, kError)), "") << "no Retry-After";
  EXPECT_NE(judge().fault_of(kPredict, answer(504, kError)), "") << "no deadline";
  EXPECT_NE(judge().fault_of(kPredict, answer(200, "{}", "f2")), "") << "another's answer";
  EXPECT_NE(judge().fault_of(kPredict, answer(200, "{")), "") << "no JSON";
  EXPECT_NE(judge().fault_of(kPredict, answer(400, R"({"error":"no"})")), "") << "a member is missing";
  EXPECT_NE(judge().fault_of_broken("HTTP/1.1 500 Word\r\n\r\n"), "");
  EXPECT_NE(judge().fault_of_broken("nonsense\r\n\r\n"), "");
  EXPECT_EQ(judge().fault_of_broken("HTTP/1.1 400 Word\r\nContent-Length: 5\r\n\r\n"), "");
}

TEST(Judge, BlamesAnotherAnswerToTheSameImage) {
  Judge one = judge();
  const Attempt probe{.kind = Kind::Probe, .method = "POST", .path = "/predict", .id = "f1"};
  EXPECT_EQ(one.fault_of(probe, answer(200, R"({"probabilities":[0.25,0.75]})")), "");
  EXPECT_EQ(one.fault_of(probe, answer(200, R"({"probabilities":[0.25000001,0.75]})")), "");
  EXPECT_NE(one.fault_of(probe, answer(200, R"({"probabilities":[0.75,0.25]})")), "");
  EXPECT_EQ(one.fault_of(probe, answer(200, R"({"model_version":2,"probabilities":[0.75,0.25]})")), "");
  EXPECT_NE(one.fault_of(probe, answer(200, R"({"model_version":2,"probabilities":[0.25,0.75]})")), "");
  EXPECT_NE(one.fault_of(probe, answer(400, kError)), "");
}

TEST(AnswerReader, ReadsAnswersThatCameInPiecesAndInChunks) {
  AnswerReader reader;
  const std::string all = "HTTP/1.1 100 Continue\r\n\r\n" + wire(200, "", "abc") +
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
  std::vector<std::string> bodies;
  for (const char byte : all) {
    reader.add({&byte, 1});
    const auto next = reader.next("GET");
    ASSERT_TRUE(next) << next.error().message;
    if (*next) bodies.push_back((*next)->body);
  }
  EXPECT_EQ(bodies, (std::vector<std::string>{"abc", "abc"}));
  reader.add("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n");
  EXPECT_FALSE(reader.next("GET"));
}

TEST(Memory, AsksForWhatItHasSeen) {
  Memory memory;
  Rng rng(1);
  EXPECT_EQ(memory.fill("/v1/uploads/{{upload}}?x={{job}}", rng), "/v1/uploads/nobody?x=nobody");
  memory.learn(R"({"files":["u0123456789abcdef"],"id":"job-20261121-041600-3fa9c1","x":"unknown"})");
  EXPECT_EQ(memory.fill("/v1/uploads/{{upload}}?x={{job}}", rng),
            "/v1/uploads/u0123456789abcdef?x=job-20261121-041600-3fa9c1");
}

TEST(Mutate, KeepsWhatIsSaidToBeHttpInOneLine) {
  Rng rng(1);
  int changed = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto target = damage_target("/v1/models/small?limit=3", rng);
    EXPECT_EQ(target.find_first_of(" \r\n\t"), std::string::npos);
    EXPECT_TRUE(target.starts_with('/'));
    EXPECT_EQ(odd_value(rng).find_first_of("\r\n"), std::string::npos);
    changed += damage_json(R"({"image":[1,2,3]})", rng) != R"({"image":[1,2,3]})";
  }
  EXPECT_GT(changed, 1800);
}

}  // namespace
}  // namespace imago::fuzz
