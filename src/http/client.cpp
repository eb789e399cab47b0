// SPDX-License-Identifier: Apache-2.0
#include "http/client.hpp"

#include <curl/curl.h>

#include "http/curl_handles.hpp"

namespace imago::http {
namespace {

struct Sink {
  ClientResponse response;
  std::size_t limit = 0;
  bool over = false;
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* target) {
  auto& sink = *static_cast<Sink*>(target);
  if (sink.response.body.size() + size > sink.limit) {
    sink.over = true;
    return 0;
  }
  sink.response.body.append(data, size);
  return size;
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* target) {
  auto& headers = static_cast<Sink*>(target)->response.headers;
  std::string_view line(data, size);
  if (line.starts_with("HTTP/")) headers.clear();  // an interim answer (100) came before
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  auto value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  value = value.substr(0, value.find_last_not_of(" \t\r\n") + 1);
  headers[std::string(line.substr(0, colon))] = value;
  return size;
}

ErrorCode code_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return ErrorCode::Timeout;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return ErrorCode::InvalidArgument;
    default: return ErrorCode::Unavailable;
  }
}

}  // namespace

Result<ClientResponse> fetch(const ClientRequest& request) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  const EasyHandle handle(curl_easy_init());
  if (ready != CURLE_OK || !handle) return fail(ErrorCode::Internal, "libcurl did not start");

  CurlList headers;
  for (const auto& [name, value] : request.headers) {
    const std::string line = value.empty() ? name + ";" : name + ": " + value;
    curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) return fail(ErrorCode::Internal, "libcurl has no memory");
    static_cast<void>(headers.release());
    headers.reset(longer);
  }
  Sink sink{.limit = request.max_response_bytes};
  CURL* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &sink);
  if (request.any_certificate) {
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET" || !request.body.empty()) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  if (const CURLcode code = curl_easy_perform(curl); code != CURLE_OK) {
    if (sink.over) {
      return fail(ErrorCode::ResourceExhausted, "{} answers with over {} bytes", request.url,
                  request.max_response_bytes);
    }
    return fail(code_of(code), "{} {}: {}", request.method, request.url, curl_easy_strerror(code));
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  sink.response.status = static_cast<int>(status);
  return std::move(sink.response);
}

}  // namespace imago::http
