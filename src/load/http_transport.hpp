// SPDX-License-Identifier: Apache-2.0
// Requests to /predict of a server.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/parallel_client.hpp"
#include "load/drive.hpp"
#include "load/pictures.hpp"

namespace imago::load {

struct HttpTarget {
  std::string url;  ///< of the server: "http://localhost:8000"; /predict is added
  std::string api_key;
  std::string trust;  ///< file with the server's certificate
  std::chrono::milliseconds timeout{30'000};
  Form form = Form::Multipart;
};

class HttpTransport final : public Transport {
 public:
  /// Errors as body_of and ParallelClient::open.
  static Result<std::unique_ptr<HttpTransport>> open(const HttpTarget& target, int connections,
                                                     const Pictures& pictures);

  [[nodiscard]] std::size_t idle() const override { return client_->idle(); }
  void send(std::uint64_t ticket, std::size_t image) override { client_->post(ticket, bodies_[image]); }
  void wait(SteadyTime until, const std::function<void(const Answer&)>& on_answer) override;

 private:
  HttpTransport() = default;

  std::vector<std::string> bodies_;
  std::unique_ptr<http::ParallelClient> client_;  // after the bodies it sends
};

/// The class of each image, by asking for each until it is answered: what every later answer must be. Fails with the
/// server's words at the first answer that is none, or after very many 503s.
Result<std::vector<int>> ask_classes(Transport& transport, std::size_t images, const std::atomic<bool>& stop);

}  // namespace imago::load
