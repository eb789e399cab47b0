// SPDX-License-Identifier: Apache-2.0
#include "http/tls.hpp"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <memory>
#include <type_traits>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "http/gnutls_datum.hpp"

namespace imago::http {
namespace {

constexpr std::uint64_t kMaxPemBytes = 1u << 20;

template <auto destroy>
struct Destroy {
  template <typename T>
  void operator()(T* handle) const noexcept {
    destroy(handle);
  }
};
template <typename Handle, auto destroy>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Destroy<destroy>>;
using Certificate = Owned<gnutls_x509_crt_t, gnutls_x509_crt_deinit>;
using PrivateKey = Owned<gnutls_privkey_t, gnutls_privkey_deinit>;
using Credentials = Owned<gnutls_certificate_credentials_t, gnutls_certificate_free_credentials>;

Result<std::string> read_pem(const fs::path& path, std::string_view what) {
  auto text = read_file(path, kMaxPemBytes);
  if (text) return text;
  const ErrorCode code = text.error().code == ErrorCode::NotFound ? ErrorCode::NotFound : ErrorCode::InvalidArgument;
  return fail(code, "the TLS {}: {}", what, text.error().message);
}

void warn_of_readers(const fs::path& path) {
  std::error_code ignored;
  const auto allowed = fs::status(path, ignored).permissions();
  if ((allowed & (fs::perms::others_read | fs::perms::others_write)) != fs::perms::none)
    log::warning("the TLS key {} is open to every user of this machine: chmod 600 it", path.string());
}

void warn_of_dates(const Certificate& certificate, const fs::path& path) {
  const auto now = std::chrono::system_clock::to_time_t(system_clock().wall());
  const auto at = [](std::time_t time) { return format_utc(std::chrono::system_clock::from_time_t(time)); };
  const std::time_t begin = gnutls_x509_crt_get_activation_time(certificate.get());
  const std::time_t end = gnutls_x509_crt_get_expiration_time(certificate.get());
  if (now > end) log::warning("the TLS certificate {} expired at {}: clients refuse it", path.string(), at(end));
  if (now < begin) log::warning("the TLS certificate {} is valid from {} on only", path.string(), at(begin));
}

/// The first certificate of the file, for a look at it.
Result<Certificate> parse_certificate(const std::string& pem, const fs::path& path) {
  gnutls_x509_crt_t handle = nullptr;
  gnutls_x509_crt_init(&handle);
  Certificate certificate(handle);
  const gnutls_datum_t data = datum(pem);
  if (const int code = gnutls_x509_crt_import(handle, &data, GNUTLS_X509_FMT_PEM); code < 0)
    return fail(ErrorCode::InvalidArgument, "{} is not a certificate in PEM form ({})", path.string(),
                gnutls_strerror(code));
  return certificate;
}

Result<void> check_key(const std::string& pem, const fs::path& path) {
  gnutls_privkey_t handle = nullptr;
  gnutls_privkey_init(&handle);
  const PrivateKey key(handle);
  const gnutls_datum_t data = datum(pem);
  const int code = gnutls_privkey_import_x509_raw(handle, &data, GNUTLS_X509_FMT_PEM, nullptr, 0);
  if (code == GNUTLS_E_DECRYPTION_FAILED || pem.find("ENCRYPTED") != std::string::npos)
    return fail(ErrorCode::InvalidArgument, "the key {} is encrypted; write it without, as `openssl pkey` does",
                path.string());
  if (code < 0)
    return fail(ErrorCode::InvalidArgument, "{} is not a private key in PEM form ({})", path.string(),
                gnutls_strerror(code));
  return {};
}

/// What the library does with the two when it starts.
Result<void> check_pair(const TlsIdentity& identity, const fs::path& certificate, const fs::path& key) {
  gnutls_certificate_credentials_t handle = nullptr;
  gnutls_certificate_allocate_credentials(&handle);
  const Credentials credentials(handle);
  const gnutls_datum_t chain = datum(identity.certificate);
  const gnutls_datum_t secret = datum(identity.key);
  const int code = gnutls_certificate_set_x509_key_mem(handle, &chain, &secret, GNUTLS_X509_FMT_PEM);
  if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
    return fail(ErrorCode::InvalidArgument, "the key {} is not that of the certificate {}", key.string(),
                certificate.string());
  if (code < 0)
    return fail(ErrorCode::InvalidArgument, "the certificate {} and the key {} do not serve: {}", certificate.string(),
                key.string(), gnutls_strerror(code));
  return {};
}

}  // namespace

Result<TlsIdentity> read_tls_identity(const fs::path& certificate, const fs::path& key) {
  TlsIdentity identity;
  TRY(identity.certificate, read_pem(certificate, "certificate"));
  TRY(identity.key, read_pem(key, "key"));
  TRY(const auto parsed, parse_certificate(identity.certificate, certificate));
  TRY_VOID(check_key(identity.key, key));
  TRY_VOID(check_pair(identity, certificate, key));
  warn_of_readers(key);
  warn_of_dates(parsed, certificate);
  return identity;
}

}  // namespace imago::http
