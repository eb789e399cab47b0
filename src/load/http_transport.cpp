// SPDX-License-Identifier: Apache-2.0
#include "load/http_transport.hpp"

#include <numeric>
#include <optional>

namespace imago::load {

Result<std::unique_ptr<HttpTransport>> HttpTransport::open(const HttpTarget& target, int connections,
                                                           const Pictures& pictures) {
  std::unique_ptr<HttpTransport> transport(new HttpTransport());
  for (const auto& picture : pictures) {
    TRY(auto body, body_of(target.form, picture));
    transport->bodies_.push_back(std::move(body));
  }
  const auto end = target.url.find_last_not_of('/') + 1;
  http::ParallelOptions options{.url = target.url.substr(0, end) + "/predict",
                                .connections = connections,
                                .headers = {{"Content-Type", std::string(content_type(target.form))}, {"Expect", ""}},
                                .timeout = target.timeout,
                                .trust = target.trust};
  if (!target.api_key.empty()) options.headers["X-API-Key"] = target.api_key;
  TRY(transport->client_, http::ParallelClient::open(options));
  return transport;
}

void HttpTransport::wait(SteadyTime until, const std::function<void(const Answer&)>& on_answer) {
  client_->wait(until, [&](const http::ParallelAnswer& answer) {
    on_answer({answer.ticket, answer.status, answer.body, answer.problem});
  });
}

Result<std::vector<int>> ask_classes(Transport& transport, std::size_t images, const std::atomic<bool>& stop) {
  constexpr int kMostRefusals = 1000;
  std::size_t at_once = 2;  // nobody is to be flooded before the clock starts
  std::vector<int> classes(images, -1);
  std::vector<std::size_t> to_ask(images);
  std::iota(to_ask.rbegin(), to_ask.rend(), std::size_t{0});
  std::optional<Error> error;
  std::size_t on_way = 0;
  int refusals = 0;
  const auto take = [&](const Answer& answer) {
    --on_way;
    if (answer.status == 503 && ++refusals < kMostRefusals) {
      at_once = 1;  // one that waits for nobody but others' requests
      return to_ask.push_back(answer.ticket);
    }
    auto& found = classes[answer.ticket];
    if (answer.status == 200) found = class_in(answer.body);
    if (found >= 0 || error) return;
    error = Error{ErrorCode::Unavailable, answer.status == 0 ? fmt::format("no answer: {}", answer.problem)
                                                             : fmt::format("/predict answers {}: {}", answer.status,
                                                                           answer.body.substr(0, 200))};
  };
  while ((!to_ask.empty() || on_way > 0) && !error) {
    if (stop) return fail(ErrorCode::Cancelled, "interrupted before anything was measured");
    for (; !to_ask.empty() && on_way < at_once && transport.idle() > 0; ++on_way) {
      const std::size_t image = to_ask.back();
      to_ask.pop_back();
      transport.send(image, image);
    }
    transport.wait(std::chrono::steady_clock::now() + std::chrono::milliseconds(100), take);
  }
  if (error) return tl::unexpected<Error>(*error);
  return classes;
}

}  // namespace imago::load
