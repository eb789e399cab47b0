// SPDX-License-Identifier: Apache-2.0
#include "app/certificate_watch.hpp"

#include <sys/stat.h>

#include "base/log.hpp"

namespace imago::app {
namespace {

constexpr std::chrono::seconds kLookEvery{1};

/// Differs when the file was replaced (renamed over, as renewal tools do) or written anew.
std::string state_of(const std::filesystem::path& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return "none";
  return fmt::format("{}:{}:{}.{}:{}", found.st_dev, found.st_ino, found.st_mtim.tv_sec, found.st_mtim.tv_nsec,
                     found.st_size);
}

}  // namespace

CertificateWatch::CertificateWatch(serve::Service& service, std::filesystem::path certificate,
                                   std::filesystem::path key)
    : service_(service), certificate_(std::move(certificate)), key_(std::move(key)), seen_(state()) {}

std::string CertificateWatch::state() const { return state_of(certificate_) + " " + state_of(key_); }

void CertificateWatch::look(bool asked) {
  const auto now = std::chrono::steady_clock::now();
  if (certificate_.empty() || (!asked && now < next_)) return;
  next_ = now + kLookEvery;
  auto found = state();
  if (!asked && found == seen_) return;
  seen_ = std::move(found);
  take();
}

void CertificateWatch::take() {
  const auto use = [&]() -> Result<void> {
    TRY(const auto identity, http::read_tls_identity(certificate_, key_));
    return service_.replace_tls(identity);
  };
  if (const auto used = use(); used) {
    log::info("TLS: new connections get the certificate that is in {} now", certificate_.string());
  } else {
    log::error("TLS: the server keeps the certificate it has: {}", used.error().message);
  }
}

}  // namespace imago::app
