// SPDX-License-Identifier: Apache-2.0
#include "app/rendezvous.hpp"

#include <map>
#include <mutex>
#include <optional>

namespace imago::app {
namespace {

constexpr std::size_t kMostValues = 100'000;  // Gloo puts as many as there are pairs of processes
constexpr std::size_t kMostBytes = 8U << 20;

/// The first value of a key stays. Safe from any thread.
class Table {
 public:
  /// False: it is full.
  bool put(const std::string& key, const std::string& value) {
    const std::scoped_lock lock(mutex_);
    if (values_.size() >= kMostValues) return false;
    values_.emplace(key, value);
    return true;
  }
  std::optional<std::string> find(const std::string& key) const {
    const std::scoped_lock lock(mutex_);
    const auto found = values_.find(key);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> values_;  // guarded by mutex_
};

http::Response plain(int status, std::string body = {}) {
  return {.status = status, .headers = {{"Content-Type", "application/octet-stream"}}, .body = std::move(body)};
}

}  // namespace

Result<Rendezvous> Rendezvous::open(const std::string& address, int port) {
  const auto table = std::make_shared<Table>();
  std::vector<http::Route> routes{
      {"PUT", "/v1/{key...}",
       [table](const http::Request& request, http::Responder responder) {
         responder.send(plain(table->put(request.captures.at("key"), request.body) ? 204 : 507));
       }},
      {"GET", "/v1/{key...}", [table](const http::Request& request, http::Responder responder) {
         auto value = table->find(request.captures.at("key"));
         responder.send(value ? plain(200, std::move(*value)) : plain(404));
       }}};
  const http::ServerOptions options{.address = address, .port = port, .threads = 1, .max_body_bytes = kMostBytes};
  TRY(auto server,
      http::Server::start(options, std::move(routes), [](int status, std::string_view text, const http::Request&) {
        return plain(status, std::string(text));
      }));
  return Rendezvous(std::move(server));
}

}  // namespace imago::app
