// SPDX-License-Identifier: Apache-2.0
#include "serve/batch_settings.hpp"

#include <gmock/gmock.h>

#include "serve/test_registry.hpp"

namespace imago::serve {
namespace {

using testing::HasSubstr;

Result<BatchSettings> settings_of(const char* text) { return batch_settings_from(json::parse(text).value()); }

TEST(BatchSettings, StandOverThoseOfTheServer) {
  const infer::BatcherOptions server{
      .workers = 2, .max_batch = 8, .max_queue = 100, .max_delay = std::chrono::microseconds(50)};
  EXPECT_EQ(BatchSettings{}.over(server), server);
  const auto own = settings_of(R"({"max_batch": 3, "batch_delay_us": 0})").value().over(server);
  EXPECT_EQ(own, (infer::BatcherOptions{.workers = 2, .max_batch = 3, .max_queue = 100, .max_delay = {}}));
}

TEST(BatchSettings, RefusesWhatCannotBeMeantNamingIt) {
  for (const auto& [text, said] : std::vector<std::pair<const char*, const char*>>{
           {R"({"max_batch": 0})", "max_batch is 0, not from 1 to 1024"},
           {R"({"batch_delay_us": -1})", "batch_delay_us is -1"},
           {R"({"max_queue": 1000001})", "max_queue is 1000001"},
           {R"({"workers": 257})", "workers is 257"},
           {R"({"workers": 1.5})", "workers"},
           {R"({"max-batch": 1})", "'max-batch' is no setting of batches"}}) {
    const auto refused = settings_of(text);
    ASSERT_FALSE(refused.has_value()) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument) << text;
    EXPECT_THAT(refused.error().message, HasSubstr(said));
  }
}

class KeptBatchSettings : public RegistryService {};

TEST_F(KeptBatchSettings, AreKeptByModelUntilTheyAreReplaced) {
  add_version("pets", "one");
  add_version("cars", "two");
  const auto read = [&](const char* model) { return read_batch_settings(*database_, model).value(); };
  EXPECT_EQ(read("pets"), BatchSettings{});
  const BatchSettings some{.max_batch = 4, .workers = 1};
  ASSERT_TRUE(write_batch_settings(*database_, "pets", some).has_value());
  EXPECT_EQ(read("pets"), some);
  EXPECT_EQ(read("cars"), BatchSettings{});
  const BatchSettings other{.max_queue = 7};
  ASSERT_TRUE(write_batch_settings(*database_, "pets", other).has_value());
  EXPECT_EQ(read("pets"), other);
  ASSERT_TRUE(write_batch_settings(*database_, "pets", {}).has_value());
  EXPECT_EQ(read("pets"), BatchSettings{});
  EXPECT_FALSE(write_batch_settings(*database_, "pets", {.workers = 0}).has_value());
  EXPECT_FALSE(write_batch_settings(*database_, "boats", some).has_value()) << "no such model";
}

}  // namespace
}  // namespace imago::serve
