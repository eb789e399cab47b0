// SPDX-License-Identifier: Apache-2.0
// The certificate and key that handshakes use, which may be replaced while the server runs (GnuTLS).
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "base/error.hpp"
#include "http/tls.hpp"

namespace imago::http {

/// Safe from any thread.
class TlsCredentials {
 public:
  TlsCredentials();
  ~TlsCredentials();

  /// Every handshake from now on uses `identity`; connections that are open keep what they have. InvalidArgument when
  /// GnuTLS cannot read it: then all stays as it was.
  Result<void> use(const TlsIdentity& identity);

  /// What a gnutls_certificate_retrieve_function2 gives back: 0, or -1 before the first use().
  int retrieve(gnutls_pcert_st** chain, unsigned* count, gnutls_privkey_t* key) const;

 private:
  struct Pair;
  std::atomic<const Pair*> current_{nullptr};
  std::mutex mutex_;                          // guards what follows
  std::vector<std::unique_ptr<Pair>> pairs_;  // all of them: a handshake may be under way with an old one
};

}  // namespace imago::http
