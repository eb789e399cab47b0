// SPDX-License-Identifier: Apache-2.0
#include "load/report.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace imago::load {
namespace {

using std::chrono::microseconds;

constexpr std::array<std::pair<const char*, double>, 7> kPercentiles{
    {{"p50", 0.5}, {"p75", 0.75}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1.0}}};
constexpr int kBars = 12;
constexpr double kBarWidth = 40.0;

double milliseconds(microseconds duration) { return static_cast<double>(duration.count()) / 1000.0; }

double mean_ms(const Measured& measured) {
  const auto count = measured.latencies.count();
  return count == 0 ? 0.0 : measured.microseconds / 1000.0 / static_cast<double>(count);
}

}  // namespace

std::string percentiles_in_words(const monitor::FineLatencyHistogram& latencies) {
  std::string text;
  for (const auto& [name, share] : kPercentiles)
    text += fmt::format("{}{} {:.2f}", text.empty() ? "" : ", ", name, milliseconds(latencies.quantile(share)));
  return text + " ms";
}

json::Value percentiles_json(const monitor::FineLatencyHistogram& latencies) {
  json::Value value = json::Value::object();
  for (const auto& [name, share] : kPercentiles) value[name] = milliseconds(latencies.quantile(share));
  return value;
}

std::string histogram_in_words(const monitor::FineLatencyHistogram& latencies) {
  const auto all = latencies.count();
  if (all == 0) return "";
  const double low = std::max(1.0, static_cast<double>(latencies.quantile(0.0).count()));
  const double high = std::max(low * 1.01, static_cast<double>(latencies.quantile(1.0).count()));
  const double step = std::pow(high / low, 1.0 / kBars);
  std::array<std::uint64_t, kBars> counts{};
  std::array<double, kBars> ends{};
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    ends[i] = low * std::pow(step, static_cast<double>(i + 1));
    const auto up_to = i + 1 == counts.size() ? all : latencies.count_below(microseconds(std::llround(ends[i])));
    counts[i] = up_to - below;
    below = up_to;
  }
  const auto most = static_cast<double>(*std::ranges::max_element(counts));
  std::string text;
  below = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    below += counts[i];
    const auto bar = static_cast<std::size_t>(std::lround(kBarWidth * static_cast<double>(counts[i]) / most));
    text += fmt::format("  to {:>9.3f} ms {:>9} {:>6.2f} %  {}\n", ends[i] / 1000.0, counts[i],
                        100.0 * static_cast<double>(below) / static_cast<double>(all), std::string(bar, '#'));
  }
  return text;
}

std::string in_words(const Measured& measured) {
  std::string text =
      fmt::format("{:.1f} answers/s over {:.1f} s{}: {} right, {} wrong, {} failed\n", measured.throughput(),
                  measured.seconds, measured.rate > 0.0 ? fmt::format(" (asked for {:.1f})", measured.rate) : "",
                  measured.right, measured.wrong, measured.failed);
  text += fmt::format("latency: mean {:.2f}, {}\n", mean_ms(measured), percentiles_in_words(measured.latencies));
  if (measured.rate > 0.0)
    text += fmt::format("sent after they were due: {}\n", percentiles_in_words(measured.lateness));
  if (measured.unsent > 0) text += fmt::format("{} requests were due and never sent\n", measured.unsent);
  for (const auto& [status, count] : measured.by_status) {
    if (status != 200)
      text += fmt::format("{}: {}\n", status == 0 ? "no answer" : fmt::format("status {}", status), count);
  }
  if (!measured.first_problem.empty()) text += fmt::format("first problem: {}\n", measured.first_problem);
  return text + histogram_in_words(measured.latencies);
}

json::Value to_json(const Measured& measured) {
  json::Value statuses = json::Value::object();
  for (const auto& [status, count] : measured.by_status) statuses[std::to_string(status)] = count;
  json::Value latency = percentiles_json(measured.latencies);
  latency["mean"] = mean_ms(measured);
  json::Value value{{"seconds", measured.seconds},     {"answers_per_second", measured.throughput()},
                    {"right", measured.right},         {"wrong", measured.wrong},
                    {"failed", measured.failed},       {"unsent", measured.unsent},
                    {"statuses", std::move(statuses)}, {"latency_ms", std::move(latency)}};
  if (measured.rate > 0.0) {
    value["rate"] = measured.rate;
    value["lateness_ms"] = percentiles_json(measured.lateness);
    value["since_sent_ms"] = percentiles_json(measured.since_sent);
  }
  if (!measured.first_problem.empty()) value["first_problem"] = measured.first_problem;
  return value;
}

}  // namespace imago::load
