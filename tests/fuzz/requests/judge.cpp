// SPDX-License-Identifier: Apache-2.0
#include "fuzz/requests/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace imago::fuzz {
namespace {

// What every operation may say to a request that is not one of its own, or to one that was not understood as HTTP.
constexpr int kAnywhere[] = {400, 404, 405, 413, 415, 431};
constexpr int kVersionNotSupported = 505;
constexpr double kTolerance = 1e-4;  // batches of other sizes add up in another order

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  for (std::size_t start = 1; start <= path.size();) {
    const auto end = std::min(path.find('/', start), path.size());
    segments.emplace_back(path.substr(start, end - start));
    start = end + 1;
  }
  return segments;
}

bool matches(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  const auto fits = [](const std::string& a, const std::string& b) {
    return a == b || (a.starts_with('{') && !b.empty());
  };
  return std::ranges::equal(pattern, path, fits);
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

/// libmicrohttpd refuses some requests before there is one: as a page, or with its head twice.
bool is_refused_by_the_library(const Answer& answer) {
  const int status = answer.status;
  const bool may_be = status == 400 || status == 413 || status == 431 || status == kVersionNotSupported;
  return may_be && answer.closes() && answer.header("x-request-id").empty() &&
         !answer.header("content-type").starts_with("application/json");
}

/// An error says the same thing in every place that clients look at.
std::string fault_of_error(const json::Value& body) {
  for (const char* key : {"error", "detail", "code", "request_id"})
    if (!body.is_object() || !body.contains(key) || !body[key].is_string())
      return fmt::format("an error has no '{}'", key);
  if (body["error"].get<std::string>().empty()) return "an error says nothing";
  return {};
}

std::string fault_of_body(const Answer& answer) {
  if (!answer.header("content-encoding").empty()) return {};
  if (!answer.header("content-type").starts_with("application/json")) {
    return answer.status >= 400 ? fmt::format("status {} comes as '{}'", answer.status, answer.header("content-type"))
                                : "";
  }
  const auto body = json::parse(answer.body);
  if (!body) return fmt::format("the answer is no JSON: {}", body.error().message);
  return answer.status >= 400 ? fault_of_error(*body) : "";
}

}  // namespace

Result<Judge> Judge::open(const json::Value& openapi) {
  Judge judge;
  TRY(const auto paths, json::get<json::Value>(openapi, "paths"));
  for (const auto& [path, methods] : paths.items()) {
    for (const auto& [method, described] : methods.items()) {
      if (!described.is_object() || !described.contains("responses")) continue;
      Operation operation{.method = upper(method), .segments = segments_of(path)};
      for (const auto& [status, unused] : described["responses"].items()) {
        int number = 0;
        std::from_chars(status.data(), status.data() + status.size(), number);
        operation.statuses.insert(number);
      }
      judge.all_.insert(operation.statuses.begin(), operation.statuses.end());
      judge.operations_.push_back(std::move(operation));
    }
  }
  if (judge.operations_.empty()) return fail(ErrorCode::Corrupt, "the OpenAPI document has no operations");
  return judge;
}

const Judge::Operation* Judge::find(std::string_view method, std::string_view path) const {
  const auto segments = segments_of(path);
  const auto fits = [&](const Operation& operation) {
    return operation.method == method && matches(operation.segments, segments);
  };
  const auto exact = std::ranges::find_if(
      operations_, [&](const auto& operation) { return fits(operation) && operation.segments == segments; });
  const auto found = exact != operations_.end() ? exact : std::ranges::find_if(operations_, fits);
  return found == operations_.end() ? nullptr : &*found;
}

std::string Judge::fault_of(const Attempt& attempt, const Answer& answer) {
  const int status = answer.status;
  if (status >= 500 && status != 503 && status != 504 && status != kVersionNotSupported)
    return fmt::format("status {}", status);
  if (is_refused_by_the_library(answer)) return {};
  const Operation* operation = attempt.path.empty() ? nullptr : find(attempt.method, attempt.path);
  const Statuses& documented = operation == nullptr ? all_ : operation->statuses;
  if (!documented.contains(status) && std::ranges::find(kAnywhere, status) == std::end(kAnywhere))
    return fmt::format("status {} is not in the OpenAPI document", status);
  // An explanation has a deadline of its own.
  if (status == 504 && !attempt.has_deadline && !attempt.path.starts_with("/v1/explain"))
    return "a 504 without a deadline";
  if (status == 503 && answer.header("retry-after").empty()) return "a 503 without Retry-After";
  if (!attempt.id.empty() && answer.header("x-request-id") != attempt.id)
    return fmt::format("the answer to {} says that it is for '{}'", attempt.id, answer.header("x-request-id"));
  if (attempt.kind == Kind::Probe) return fault_of_probe(answer);
  return attempt.method == "HEAD" || answer.is_stream || status == 304 ? "" : fault_of_body(answer);
}

std::string Judge::fault_of_probe(const Answer& answer) {
  if (answer.status != 200) return fmt::format("a sound image was answered with {}", answer.status);
  const auto body = json::parse(answer.body);
  if (!body || !body->contains("probabilities")) return "a sound image got an answer without probabilities";
  const auto probabilities = json::get<std::vector<double>>(*body, "probabilities");
  if (!probabilities) return probabilities.error().message;
  const auto version = body->contains("model_version") ? body->at("model_version").dump() : std::string();
  const auto first = probabilities_.try_emplace(version, *probabilities).first;
  const auto near = [](double a, double b) { return std::abs(a - b) < kTolerance; };
  return std::ranges::equal(*probabilities, first->second, near) ? "" : "the same image got another answer";
}

std::string Judge::fault_of_broken(std::string_view received) const {
  AnswerReader reader;
  reader.add(received.substr(0, received.find("\r\n\r\n")));
  reader.add("\r\n\r\n");
  if (received.empty()) return {};
  const auto answer = reader.next("HEAD");
  if (!answer) return answer.error().message;
  if (!*answer) return {};  // 100 Continue and no more
  const int status = (*answer)->status;
  if (status >= 500 && status != 503 && status != 504 && status != kVersionNotSupported)
    return fmt::format("status {}", status);
  const bool known = all_.contains(status) || status == kVersionNotSupported ||
                     std::ranges::find(kAnywhere, status) != std::end(kAnywhere);
  return known ? "" : fmt::format("status {}", status);
}

}  // namespace imago::fuzz
