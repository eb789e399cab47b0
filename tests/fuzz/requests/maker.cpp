// SPDX-License-Identifier: Apache-2.0
#include "fuzz/requests/maker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/files.hpp"
#include "fuzz/requests/mutate.hpp"

namespace imago::fuzz {
namespace {

constexpr double kRare = 0.005;  // of the requests: what loads models, starts trainings, fills the disk

constexpr auto kMethods = std::to_array<std::string_view>(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X"});

constexpr auto kHeaders = std::to_array<std::string_view>({"Accept",
                                                           "Content-Type",
                                                           "Content-Encoding",
                                                           "X-Request-Timeout-Ms",
                                                           "X-Request-Priority",
                                                           "X-AB-Key",
                                                           "X-API-Key",
                                                           "Authorization",
                                                           "Inference-Header-Content-Length",
                                                           "If-None-Match",
                                                           "Range",
                                                           "Origin",
                                                           "Sec-Fetch-Site",
                                                           "Cookie",
                                                           "traceparent",
                                                           "tracestate",
                                                           "X-Forwarded-For",
                                                           "Accept-Encoding",
                                                           "Expect",
                                                           "Connection",
                                                           "Upgrade",
                                                           "TE",
                                                           "X-Request-ID",
                                                           "X-Anything",
                                                           "X"});

// What speaks another language, or contradicts itself.
constexpr auto kForeign = std::to_array<std::string_view>(
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
     "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
     "GET / HTTP/0.9\r\n\r\n",
     "GET /\r\n",
     "\r\n\r\n\r\n",
     "GET / HTTP/1.1\r\n\r\n",
     "GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
     "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
     "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
     "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
     "POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
     "POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
     "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nabcde",
     "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 4x\r\n\r\nabcd",
     "POST /predict HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n",
     "GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /health HTTP/1.0\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n\tmore\r\n\r\n",
     "GET / HTTP/1.1\nHost: a\n\n",
     "GET  /  HTTP/1.1\r\nHost : a\r\n\r\n"});

Result<std::vector<Message>> read_seeds(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) paths.push_back(entry.path());
  if (paths.empty()) return fail(ErrorCode::NotFound, "{} has no seeds", folder.string());
  std::ranges::sort(paths);
  std::vector<Message> seeds;
  for (const auto& path : paths) {
    TRY(const auto text, read_file(path));
    seeds.push_back(parse_message(text));
  }
  return seeds;
}

template <class Choices>
auto& one_of(Choices& choices, Rng& rng) {
  return choices[rng.below(choices.size())];
}

std::string damaged_body(const std::string& body, Rng& rng) {
  if (body.starts_with('{') && rng.chance(0.6)) return damage_json(body, rng);
  return damage(body, rng, rng.chance(0.2) ? 20 : 3);
}

/// Bytes of a request after it was written: its framing too may be wrong.
std::string broken(const std::string& wire, Rng& rng) {
  if (rng.chance(0.1))
    return rng.chance(0.5) ? std::string(one_of(kForeign, rng)) : damage(std::string(one_of(kForeign, rng)), rng, 4);
  const auto head = std::min(wire.find("\r\n\r\n"), wire.size());
  const bool in_head = rng.chance(0.8);
  if (in_head) return damage(wire.substr(0, head), rng, 4) + wire.substr(head);
  return damage(wire, rng, 4);
}

}  // namespace

std::string_view to_string(Kind kind) noexcept {
  constexpr std::array<std::string_view, kKinds> kNames{"probe", "sound", "odd", "broken", "aborted"};
  return kNames[static_cast<std::size_t>(kind)];
}

Result<Maker> Maker::open(const fs::path& seeds, std::uint64_t seed) {
  Maker maker;
  maker.seed_ = seed;
  TRY(const auto probe, read_file(seeds / "probe"));
  maker.probe_ = parse_message(probe);
  TRY(maker.often_, read_seeds(seeds / "often"));
  TRY(maker.rare_, read_seeds(seeds / "rare"));
  return maker;
}

const Message& Maker::choose(Rng& rng) const { return one_of(rng.chance(kRare) ? rare_ : often_, rng); }

void Maker::distort(Message& message, Attempt& attempt, Rng& rng) const {
  for (auto times = 1 + rng.below(2); times > 0; --times) {
    const auto what = rng.below(100);
    if (what < 50) {
      message.body = damaged_body(message.body, rng);
    } else if (what < 70) {
      const auto name = one_of(kHeaders, rng);
      message.set_header(name, odd_value(rng));
      attempt.is_last |= name == "Connection" || name == "Upgrade";
      if (name == "X-Request-ID") attempt.id.clear();
    } else if (what < 85) {
      message.target = damage_target(message.target, rng);
      attempt.path.clear();
    } else if (what < 90) {
      message.method = one_of(kMethods, rng);
      attempt.path.clear();
    } else if (what < 95) {
      message.body = choose(rng).body;
    } else if (!message.headers.empty()) {
      auto& value = one_of(message.headers, rng).second;
      value = damage(value, rng, 2);
      std::erase_if(value, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
      attempt.id.clear();
    }
  }
  message.chunked = rng.chance(0.1) && !message.body.empty();
}

Attempt Maker::make(Kind kind, std::uint64_t number, const Memory& memory) const {
  Rng rng = Rng::for_item(seed_, static_cast<std::uint64_t>(kind), number);
  Message message = kind == Kind::Probe ? probe_ : choose(rng);
  message.target = memory.fill(std::move(message.target), rng);
  message.body = memory.fill(std::move(message.body), rng);
  Attempt attempt{.kind = kind, .path = std::string(message.path()), .id = fmt::format("f{}", number)};
  message.set_header("X-Request-ID", attempt.id);
  if (kind == Kind::Odd || (kind > Kind::Odd && rng.chance(0.3))) distort(message, attempt, rng);
  attempt.method = message.method;
  attempt.has_deadline =
      message.header("X-Request-Timeout-Ms") != nullptr || message.body.find("timeout") != std::string::npos;
  attempt.wire = write_message(message, rng);
  if (kind == Kind::Broken) attempt.wire = broken(attempt.wire, rng);
  if (kind == Kind::Aborted && rng.chance(0.8)) attempt.wire.resize(1 + rng.below(attempt.wire.size()));
  return attempt;
}

}  // namespace imago::fuzz
