// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gnutls/gnutls.h>

#include <string>

namespace imago::http {

/// Inside http/: `pem` as GnuTLS wants what it reads; valid while `pem` is.
inline gnutls_datum_t datum(const std::string& pem) {
  // The library takes a pointer to what it only reads.
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(pem.data())), static_cast<unsigned>(pem.size())};
}

}  // namespace imago::http
