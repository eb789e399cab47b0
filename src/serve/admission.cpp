// SPDX-License-Identifier: Apache-2.0
#include "serve/admission.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace imago::serve {
namespace {

constexpr const char* kChallenge = R"(Bearer realm="imago")";

/// A page that somebody has open can send forms to any address of his machine; browsers say where they come from.
bool comes_from_another_site(const http::Request& request, const Cors* cors) {
  return request.method != "GET" && request.method != "HEAD" && request.header("Sec-Fetch-Site") == "cross-site" &&
         (cors == nullptr || !cors->allows(request));
}

access::Caller caller_of(const http::Request& request, const Cors* cors) {
  return {.peer = request.peer,
          .key = presented_key(request),
          .received = request.received,
          .host = request.header("Host"),
          .from_another_site = comes_from_another_site(request, cors)};
}

template <class AddHeader>
void add_headers(const access::Allowance& allowance, const AddHeader& add) {
  add("RateLimit-Limit", std::to_string(allowance.limit));
  add("RateLimit-Remaining", std::to_string(allowance.remaining));
  add("RateLimit-Reset", std::to_string(allowance.reset_seconds));
}

http::Response refuse(const access::Verdict& verdict, std::string_view request_id) {
  const auto& [status, why] = *verdict.refusal;
  http::Response response = error_response(status, code_of_status(status), why, request_id);
  if (status == 401) response.headers["WWW-Authenticate"] = kChallenge;
  if (status == 429) response.headers["Retry-After"] = std::to_string(verdict.allowance->retry_seconds);
  return response;
}

}  // namespace

std::string_view presented_key(const http::Request& request) {
  if (const auto key = request.header("X-API-Key"); !key.empty()) return key;
  constexpr std::string_view kScheme = "bearer ";
  const auto credentials = request.header("Authorization");
  const bool is_bearer = credentials.size() > kScheme.size() &&
                         std::equal(kScheme.begin(), kScheme.end(), credentials.begin(), [](char a, char b) {
                           return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b + 32) : b);
                         });
  if (!is_bearer) return {};
  const auto start = credentials.find_first_not_of(' ', kScheme.size());
  return start == std::string_view::npos ? std::string_view{} : credentials.substr(start);
}

bool admit(const Gate& gate, Reply& reply, Scope scope) {
  const http::Request& request = reply.request();
  const access::Verdict verdict = gate.judge(caller_of(request, reply.cors()), scope);
  reply.set_key(verdict.key);
  if (verdict.allowance) {
    add_headers(*verdict.allowance,
                [&](const char* name, std::string value) { reply.add_header(name, std::move(value)); });
  }
  if (!verdict.refusal) return true;
  // The route, not the path: a path can be made to carry anything, a key that slipped into it too.
  if (verdict.refusal->status != 429) {
    log::warning("{} for {} {} from {}: {} ({})", verdict.refusal->status, request.method, request.route, request.peer,
                 verdict.refusal->why, reply.request_id());
  }
  reply.send(refuse(verdict, reply.request_id()));
  return false;
}

void count_unhandled(const Gate& gate, const http::Request& request, http::Response& response,
                     std::string_view request_id) {
  const access::Verdict verdict = gate.judge(caller_of(request, nullptr), Scope::Open);
  if (verdict.refusal) response = refuse(verdict, request_id);
  if (!verdict.allowance) return;
  add_headers(*verdict.allowance,
              [&](const char* name, std::string value) { response.headers[name] = std::move(value); });
}

}  // namespace imago::serve
