// SPDX-License-Identifier: Apache-2.0
// Inside http/: owners of what libcurl hands out.
#pragma once

#include <curl/curl.h>

#include <memory>

namespace imago::http {

struct EasyCleanup {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
using EasyHandle = std::unique_ptr<CURL, EasyCleanup>;

struct ListFree {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, ListFree>;

}  // namespace imago::http
