// SPDX-License-Identifier: Apache-2.0
#include "http/exchange.hpp"

#include <algorithm>
#include <utility>

namespace imago::http {

void settle(Responder::Exchange& exchange, Response response, std::shared_ptr<Stream::Channel> channel) {
  const std::scoped_lock lock(exchange.mutex);
  if (channel && (exchange.answer || exchange.connection == nullptr)) channel->attach(nullptr);  // nobody will take
  if (exchange.answer) return;
  exchange.answer = std::move(response);
  exchange.channel = std::move(channel);
  if (exchange.suspended && exchange.connection != nullptr) {
    exchange.suspended = false;
    MHD_resume_connection(exchange.connection);
  }
}

bool is_suspended(Responder::Exchange& exchange) {
  const std::scoped_lock lock(exchange.mutex);
  return exchange.suspended;
}

Connection& connection_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return *static_cast<Connection*>(info->socket_context);
}

int socket_of(MHD_Connection* connection) {
  return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

namespace {

/// The library makes its connection the session's pointer.
int on_handshake(gnutls_session_t session, const gnutls_datum_t*, int, const gnutls_pk_algorithm_t*, int,
                 gnutls_pcert_st** chain, unsigned* count, gnutls_privkey_t* key) {
  auto* connection = static_cast<MHD_Connection*>(gnutls_session_get_ptr(session));
  return connection_of(connection).tls->retrieve(chain, count, key);
}

}  // namespace

void add_tls_items(std::vector<MHD_OptionItem>& items) {
  items.push_back({MHD_OPTION_HTTPS_CERT_CALLBACK, 0, reinterpret_cast<void*>(&on_handshake)});
  // The library takes void* but only reads.
  items.push_back({MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(kTlsPriorities)});
}

bool CaseLess::operator()(std::string_view a, std::string_view b) const noexcept {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) < lower(y);
  });
}

std::string_view Request::header(std::string_view name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

std::string_view Request::parameter(std::string_view name) const {
  const auto found = query.find(name);
  return found == query.end() ? std::string_view{} : std::string_view(found->second);
}

Responder::Responder(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
Responder::Responder(Responder&&) noexcept = default;
Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    if (exchange_) settle(*exchange_, Response{.status = 0});
    exchange_ = std::move(other.exchange_);
  }
  return *this;
}
Responder::~Responder() {
  if (exchange_) settle(*exchange_, Response{.status = 0});
}
void Responder::send(Response response) {
  EXPECTS(exchange_ != nullptr, "a request is answered once");
  settle(*std::exchange(exchange_, nullptr), std::move(response));
}
Stream Responder::stream(Response head) {
  EXPECTS(exchange_ != nullptr, "a request is answered once");
  auto channel = std::make_shared<Stream::Channel>();
  settle(*std::exchange(exchange_, nullptr), std::move(head), channel);
  return Stream(std::move(channel));
}

}  // namespace imago::http
