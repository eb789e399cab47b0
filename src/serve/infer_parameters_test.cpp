// SPDX-License-Identifier: Apache-2.0
#include "serve/infer_parameters.hpp"

#include <gmock/gmock.h>

namespace imago::serve {
namespace {

using infer::Priority;
using std::chrono::milliseconds;
using testing::HasSubstr;

TEST(RequestParameters, SayNothingUnlessTheyAreThere) {
  const auto parameters = request_parameters({{"sequence_id", 7}, {"timeout", 0}, {"priority", 0}}).value();
  EXPECT_EQ(parameters.timeout_micros, 0);
  EXPECT_FALSE(parameters.priority || parameters.binary_output);
}

TEST(RequestParameters, NumberPrioritiesAsTritonDoes) {
  const auto priority = [](const json::Value& value) { return request_parameters({{"priority", value}})->priority; };
  EXPECT_EQ(priority(1), Priority::High);
  EXPECT_EQ(priority(2), Priority::Normal);
  EXPECT_EQ(priority(3U), Priority::Low);
  EXPECT_EQ(priority("low"), Priority::Low);
}

TEST(RequestParameters, NameTheOneThatIsWrong) {
  for (const auto& [parameters, text] :
       std::vector<std::pair<json::Value, const char*>>{{{{"priority", 4}}, "'priority' is 4"},
                                                        {{{"priority", -1}}, "'priority' is -1"},
                                                        {{{"priority", "urgent"}}, "'priority' is 'urgent'"},
                                                        {{{"priority", 1.5}}, "priority"},
                                                        {{{"timeout", "soon"}}, "timeout"},
                                                        {{{"timeout", -5}}, "timeout is -5"},
                                                        {{{"binary_data_output", "yes"}}, "binary_data_output"}}) {
    const auto read = request_parameters(parameters);
    ASSERT_FALSE(read.has_value()) << json::dump(parameters);
    EXPECT_EQ(read.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(read.error().message, HasSubstr(text));
  }
}

TEST(SetUrgency, TakesTheShorterTimeoutAndTheParametersPriority) {
  InferRequest request;
  const SteadyTime received{milliseconds(1000)};
  set_urgency(request, received, {.timeout = milliseconds(50), .priority = Priority::Low}, {.timeout_micros = 20'000});
  EXPECT_EQ(request.received, received);
  EXPECT_EQ(request.deadline, received + milliseconds(20));
  EXPECT_EQ(request.priority, Priority::Low);
  set_urgency(request, received, {.timeout = milliseconds(50)}, {.timeout_micros = 90'000, .priority = Priority::High});
  EXPECT_EQ(request.deadline, received + milliseconds(50));
  EXPECT_EQ(request.priority, Priority::High);
}

}  // namespace
}  // namespace imago::serve
