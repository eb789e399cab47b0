// SPDX-License-Identifier: Apache-2.0
#include "monitor/metrics.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <ctime>
#include <thread>

#include "monitor/process.hpp"

namespace imago::monitor {
namespace {

using std::chrono::microseconds;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(ServerMetrics, CountsRequestsByRouteAndStatus) {
  ServerMetrics metrics("1.2.3");
  metrics.count_request("/predict", 200, microseconds(2000), true);
  metrics.count_request("/predict", 200, microseconds(4000), true);
  metrics.count_request("/predict", 400, microseconds(3000), true);
  metrics.count_request("/health", 200, microseconds(10));
  const auto text = metrics.prometheus_text();
  EXPECT_THAT(text, HasSubstr("imago_requests_total{endpoint=\"/predict\",status=\"200\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("imago_requests_total{endpoint=\"/predict\",status=\"400\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("imago_requests_total{endpoint=\"/health\",status=\"200\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("imago_request_seconds_count{endpoint=\"/predict\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("imago_request_seconds_bucket{endpoint=\"/predict\",le=\"0.0025\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("imago_build_info{version=\"1.2.3\"} 1\n"));
}

TEST(ServerMetrics, KeepsTotalsOfPredictionRequestsOnly) {
  ServerMetrics metrics("1");
  EXPECT_EQ(metrics.totals().average_latency_seconds(), 0.0);
  const auto model = metrics.model("cifar10", 3, {"cat", "dog"});
  metrics.count_request("/predict", 200, microseconds(1000), true);
  model->count_prediction(1, {});
  metrics.count_request("/predict", 503, microseconds(3000), true);
  metrics.count_request("/status", 404, microseconds(1000));
  const auto totals = metrics.totals();
  EXPECT_EQ(totals.requests, 2);
  EXPECT_EQ(totals.predictions, 1);
  EXPECT_EQ(totals.errors, 1);
  EXPECT_DOUBLE_EQ(totals.average_latency_seconds(), 0.002);
}

TEST(ServerMetrics, CountsWhatWasAbstainedFromByReason) {
  ServerMetrics metrics("1");
  const auto model = metrics.model("cifar10", 3, {"cat", "dog"});
  for (const auto doubt :
       {model::Doubt::None, model::Doubt::Energy, model::Doubt::Confidence, model::Doubt::Energy, model::Doubt::None})
    model->count_doubt(doubt);
  const auto text = metrics.prometheus_text();
  EXPECT_THAT(text, HasSubstr("imago_abstentions_total{model=\"cifar10\",reason=\"confidence\",version=\"3\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("imago_abstentions_total{model=\"cifar10\",reason=\"energy\",version=\"3\"} 2\n"));
}

TEST(ServerMetrics, CountsPredictionsByModelVersionAndLabel) {
  ServerMetrics metrics("1");
  const auto model = metrics.model("cifar10", 3, {"cat", "dog"});
  const PredictionTiming timing{microseconds(30),  microseconds(20),  microseconds(100),
                                microseconds(200), microseconds(400), 8};
  model->count_prediction(1, timing);
  metrics.model("cifar10", 3, {"cat", "dog"})->count_prediction(1, timing);
  const auto text = metrics.prometheus_text();
  EXPECT_THAT(text, HasSubstr("imago_predictions_total{label=\"dog\",model=\"cifar10\",version=\"3\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("imago_predictions_total{label=\"cat\",model=\"cifar10\",version=\"3\"} 0\n"));
  EXPECT_THAT(text,
              HasSubstr("imago_prediction_stage_seconds_sum{model=\"cifar10\",stage=\"infer\",version=\"3\"} 0.0004"));
  EXPECT_THAT(text, HasSubstr("imago_batch_size_bucket{model=\"cifar10\",version=\"3\",le=\"4\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("imago_batch_size_bucket{model=\"cifar10\",version=\"3\",le=\"8\"} 2\n"));
}

TEST(ServerMetrics, CountsHowRequestsEndByModelAndVersion) {
  ServerMetrics metrics("1");
  const auto model = metrics.model("cifar10", 3, {"cat", "dog"});
  for (const auto outcome : {Outcome::Ok, Outcome::Ok, Outcome::Invalid, Outcome::Failed, Outcome::QueueFull,
                             Outcome::Displaced, Outcome::DecodersBusy, Outcome::Deadline})
    model->count_outcome(outcome);
  model->set_queue_depth(5);
  const auto text = metrics.prometheus_text();
  const auto expect = [&](const char* labels, int count) {
    EXPECT_THAT(text,
                HasSubstr(fmt::format("imago_model_requests_total{{model=\"cifar10\",outcome={},version=\"3\"}} {}\n",
                                      labels, count)));
  };
  expect("\"ok\"", 2);
  expect("\"invalid\"", 1);
  expect("\"failed\"", 1);
  for (const char* reason : {"queue_full", "displaced", "decoders_busy", "deadline"})
    expect(fmt::format("\"rejected\",reason=\"{}\"", reason).c_str(), 1);
  EXPECT_THAT(text, HasSubstr("imago_model_queue_depth{model=\"cifar10\",version=\"3\"} 5\n"));
}

TEST(ServerMetrics, CountsRequestsInFlightWhileTheyAre) {
  ServerMetrics metrics("1");
  const auto model = metrics.model("m", 1, {"a"});
  const auto in_flight = [&](int count) {
    EXPECT_THAT(metrics.prometheus_text(),
                HasSubstr(fmt::format("imago_in_flight{{model=\"m\",version=\"1\"}} {}\n", count)));
  };
  in_flight(0);
  {
    ModelMetrics::InFlight first(model);
    const ModelMetrics::InFlight moved(std::move(first));
    const ModelMetrics::InFlight second(model);
    in_flight(2);
  }
  in_flight(0);
}

TEST(ServerMetrics, AddsUpLabelsOverModelsAndVersions) {
  ServerMetrics metrics("1");
  EXPECT_TRUE(metrics.predictions_by_label().empty());
  metrics.model("a", 1, {"cat", "dog"})->count_prediction(0, {});
  metrics.model("a", 2, {"cat", "dog"})->count_prediction(0, {});
  metrics.model("b", 1, {"bird", "cat"})->count_prediction(0, {});
  const std::map<std::string, std::int64_t> expected{{"bird", 1}, {"cat", 2}, {"dog", 0}};
  EXPECT_EQ(metrics.predictions_by_label(), expected);
}

TEST(ServerMetrics, KeepsTheHistoryOfWhatTotalsCount) {
  ServerMetrics metrics("1");
  const auto model = metrics.model("m", 1, {"a"});
  metrics.count_request("/predict", 200, microseconds(1000), true);
  metrics.count_request("/predict", 400, microseconds(1000), true);
  metrics.count_request("/health", 200, microseconds(1000));
  model->count_prediction(0, {});
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  std::uint64_t predictions = 0;
  for (const auto& point : metrics.history().last(std::chrono::seconds(60)).points) {
    requests += point.requests;
    errors += point.errors;
    predictions += point.predictions;
  }
  EXPECT_EQ(requests, 2U);
  EXPECT_EQ(errors, 1U);
  EXPECT_EQ(predictions, 1U);
}

TEST(ServerMetrics, EscapesLabels) {
  ServerMetrics metrics("1");
  (void)metrics.model("a\"b\\c\nd", 1, {"x", "y"});
  EXPECT_THAT(metrics.prometheus_text(), HasSubstr(R"(model="a\"b\\c\nd")"));
}

TEST(ServerMetrics, BoundsTheNumberOfEndpoints) {
  ServerMetrics metrics("1");
  for (int i = 0; i < 1000; ++i) metrics.count_request(fmt::format("/{}", i), 200, microseconds(1));
  const auto text = metrics.prometheus_text();
  EXPECT_THAT(text, HasSubstr("imago_requests_total{endpoint=\"/99\",status=\"200\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("endpoint=\"/100\"")));
  EXPECT_THAT(text, HasSubstr("imago_requests_total{endpoint=\"other\",status=\"200\"} 900\n"));
}

TEST(ServerMetrics, LosesNoCountBetweenThreads) {
  ServerMetrics metrics("1");
  const auto model = metrics.model("m", 1, {"a", "b"});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i) {
        metrics.count_request("/predict", 200 + i % 7, microseconds(5), true);
        model->count_prediction(t % 2, {});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(metrics.totals().requests, 4000);
  EXPECT_EQ(metrics.totals().predictions, 4000);
  const auto text = metrics.prometheus_text();
  EXPECT_THAT(text, HasSubstr("imago_request_seconds_count{endpoint=\"/predict\"} 4000\n"));
  EXPECT_THAT(text, HasSubstr("imago_predictions_total{label=\"a\",model=\"m\",version=\"1\"} 2000\n"));
}

TEST(ServerMetrics, ShowsReadinessAndQueue) {
  ServerMetrics metrics("1");
  EXPECT_THAT(metrics.prometheus_text(), HasSubstr("imago_ready 0\n"));
  metrics.set_ready(true);
  metrics.set_queue_depth(17);
  const auto text = metrics.prometheus_text();
  EXPECT_THAT(text, HasSubstr("imago_ready 1\n"));
  EXPECT_THAT(text, HasSubstr("imago_queue_depth 17\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE process_cpu_seconds_total counter\n"));
  EXPECT_THAT(text, ContainsRegex("process_resident_memory_bytes [1-9]"));
}

TEST(ProcessUsage, AgreesWithTheSystem) {
  const auto usage = process_usage();
  const auto now = static_cast<double>(std::time(nullptr));
  EXPECT_GT(usage.resident_bytes, 1 << 20);
  EXPECT_GE(usage.virtual_bytes, usage.resident_bytes);
  EXPECT_GE(usage.threads, 1);
  EXPECT_NEAR(usage.start_seconds, now, 120.0);
  EXPECT_GE(usage.max_files, usage.open_files);
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  EXPECT_EQ(process_usage().open_files, usage.open_files + 2);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

}  // namespace
}  // namespace imago::monitor
