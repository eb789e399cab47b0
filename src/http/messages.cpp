// SPDX-License-Identifier: Apache-2.0
#include "http/messages.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/log.hpp"
#include "http/stream.hpp"

namespace imago::http {
namespace {

std::string peer_address(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (info == nullptr || info->client_addr == nullptr) return {};
  char text[INET6_ADDRSTRLEN] = {};
  if (info->client_addr->sa_family == AF_INET6) {
    const auto& address = reinterpret_cast<const sockaddr_in6*>(info->client_addr)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&address)) {
      inet_ntop(AF_INET, &address.s6_addr[12], text, sizeof text);
    } else {
      inet_ntop(AF_INET6, &address, text, sizeof text);
    }
  } else {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(info->client_addr)->sin_addr, text, sizeof text);
  }
  return text;
}

MHD_Result collect_field(void* fields, MHD_ValueKind, const char* key, std::size_t key_size, const char* value,
                         std::size_t value_size) {
  const std::string_view text = value == nullptr ? std::string_view{} : std::string_view(value, value_size);
  const auto [entry, added] = static_cast<Fields*>(fields)->try_emplace(std::string(key, key_size), text);
  if (!added) entry->second.append(", ").append(text);
  return MHD_YES;
}

MHD_Result collect_parameter(void* fields, MHD_ValueKind, const char* key, std::size_t key_size, const char* value,
                             std::size_t value_size) {
  const std::string_view text = value == nullptr ? std::string_view{} : std::string_view(value, value_size);
  const auto [entry, added] = static_cast<Fields*>(fields)->try_emplace(std::string(key, key_size), text);
  if (!added) entry->second.append(",").append(text);
  return MHD_YES;
}

void free_body(void* body) { delete static_cast<std::string*>(body); }

}  // namespace

void read_head(Request& request, MHD_Connection* connection, const char* url, const char* method) {
  request.received = std::chrono::steady_clock::now();
  request.method = method;
  request.path = url;
  request.peer = peer_address(connection);
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, &collect_field, &request.headers);
  MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, &collect_parameter, &request.query);
}

ResponseHandle to_mhd(Response response, std::shared_ptr<Stream::Channel> channel) {
  ResponseHandle handle;
  if (channel) {
    handle.reset(response_from(std::move(channel)));
  } else if (!response.static_body.empty()) {
    // The library takes void* but only reads.
    handle.reset(MHD_create_response_from_buffer(
        response.static_body.size(), const_cast<char*>(response.static_body.data()), MHD_RESPMEM_PERSISTENT));
  } else {
    auto body = std::make_unique<std::string>(std::move(response.body));
    handle.reset(
        MHD_create_response_from_buffer_with_free_callback_cls(body->size(), body->data(), free_body, body.get()));
    if (handle) static_cast<void>(body.release());  // now the response's
  }
  for (const auto& [name, value] : response.headers) {
    if (handle && MHD_add_response_header(handle.get(), name.c_str(), value.c_str()) != MHD_YES) {
      log::warning("response header {} has a value that is not HTTP, left out", name);
    }
  }
  return handle;
}

}  // namespace imago::http
