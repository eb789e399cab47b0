// SPDX-License-Identifier: Apache-2.0
#include "http/tls_credentials.hpp"

#include "http/gnutls_datum.hpp"

namespace imago::http {
namespace {

constexpr unsigned kMostCertificates = 16;  // of one chain

}  // namespace

struct TlsCredentials::Pair {
  gnutls_pcert_st chain[kMostCertificates] = {};
  unsigned count = 0;
  gnutls_privkey_t key = nullptr;

  Pair() { gnutls_privkey_init(&key); }
  ~Pair() {
    for (unsigned i = 0; i < count; ++i) gnutls_pcert_deinit(&chain[i]);
    gnutls_privkey_deinit(key);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
};

TlsCredentials::TlsCredentials() = default;
TlsCredentials::~TlsCredentials() = default;

Result<void> TlsCredentials::use(const TlsIdentity& identity) {
  auto pair = std::make_unique<Pair>();
  const gnutls_datum_t certificates = datum(identity.certificate);
  const gnutls_datum_t key = datum(identity.key);
  unsigned count = kMostCertificates;
  if (const int code = gnutls_pcert_list_import_x509_raw(pair->chain, &count, &certificates, GNUTLS_X509_FMT_PEM, 0);
      code < 0)
    return fail(ErrorCode::InvalidArgument, "the TLS certificate cannot be used: {}", gnutls_strerror(code));
  pair->count = count;
  if (const int code = gnutls_privkey_import_x509_raw(pair->key, &key, GNUTLS_X509_FMT_PEM, nullptr, 0); code < 0)
    return fail(ErrorCode::InvalidArgument, "the TLS key cannot be used: {}", gnutls_strerror(code));
  const std::scoped_lock lock(mutex_);
  pairs_.push_back(std::move(pair));
  current_ = pairs_.back().get();
  return {};
}

int TlsCredentials::retrieve(gnutls_pcert_st** chain, unsigned* count, gnutls_privkey_t* key) const {
  const Pair* pair = current_;
  if (pair == nullptr) return -1;
  // The library takes what it only reads without const, and leaves it to us.
  *chain = const_cast<gnutls_pcert_st*>(pair->chain);
  *count = pair->count;
  *key = pair->key;
  return 0;
}

}  // namespace imago::http
