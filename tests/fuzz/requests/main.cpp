// SPDX-License-Identifier: Apache-2.0
// fuzz_requests PORT SEEDS COUNT SEED CONNECTIONS: sends that many requests, most of them odd, to a server on loopback.
// The report is JSON on standard output; what a fault was found with goes to the folder SEEDS/faults.
#include <fmt/format.h>

#include <charconv>

#include "base/files.hpp"
#include "fuzz/requests/campaign.hpp"
#include "http/client.hpp"

namespace imago::fuzz {
namespace {

Result<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size())
    return fail(ErrorCode::InvalidArgument, "'{}' is no number", text);
  return value;
}

Result<Judge> judge_of(std::uint64_t port) {
  TRY(const auto answer, http::fetch({.url = fmt::format("http://127.0.0.1:{}/openapi.json", port)}));
  TRY(const auto document, json::parse(answer.body));
  return Judge::open(document);
}

Result<void> save(const fs::path& folder, const CampaignReport& report) {
  std::error_code error;
  fs::create_directories(folder, error);
  std::size_t i = 0;
  for (const Fault& fault : report.faults) TRY_VOID(write_file(folder / fmt::format("{}", i++), fault.request));
  for (const std::string& wire : report.latest) TRY_VOID(write_file(folder / fmt::format("latest-{:03}", i++), wire));
  return {};
}

json::Value to_json(const CampaignReport& report) {
  json::Value kinds = json::Value::object(), answers = json::Value::object(), faults = json::Value::array();
  for (int kind = 0; kind < kKinds; ++kind)
    kinds[std::string(to_string(static_cast<Kind>(kind)))] = report.kinds[static_cast<std::size_t>(kind)];
  for (const auto& [status, count] : report.answers) answers[std::to_string(status)] = count;
  for (const auto& fault : report.faults) faults.push_back(fault.what);
  return {{"requests", report.requests}, {"kinds", kinds},   {"answers", answers},
          {"cut", report.cut},           {"faults", faults}, {"server_gone", report.server_gone}};
}

Result<bool> run(std::span<char*> arguments) {
  if (arguments.size() != 6)
    return fail(ErrorCode::InvalidArgument, "usage: fuzz_requests PORT SEEDS COUNT SEED CONNECTIONS");
  TRY(const auto port, number(arguments[1]));
  TRY(const auto count, number(arguments[3]));
  TRY(const auto seed, number(arguments[4]));
  TRY(const auto connections, number(arguments[5]));
  const fs::path seeds(arguments[2]);
  TRY(const auto maker, Maker::open(seeds, seed));
  TRY(auto judge, judge_of(port));
  const CampaignOptions options{
      .port = static_cast<int>(port), .count = count, .connections = static_cast<int>(connections)};
  const auto report = run_campaign(options, maker, judge);
  TRY_VOID(save(seeds / "faults", report));
  fmt::print("{}\n", json::dump(to_json(report)));
  return report.faults.empty() && !report.server_gone;
}

}  // namespace
}  // namespace imago::fuzz

int main(int count, char** arguments) {
  const auto sound = imago::fuzz::run(std::span(arguments, static_cast<std::size_t>(count)));
  if (!sound) fmt::print(stderr, "fuzz_requests: {}\n", sound.error().message);
  return !sound ? 2 : *sound ? 0 : 1;
}
