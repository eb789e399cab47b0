// SPDX-License-Identifier: Apache-2.0
// A renewed TLS certificate is taken while the server runs.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "serve/service.hpp"

namespace imago::app {

/// From one thread. Does nothing for a server without TLS.
class CertificateWatch {
 public:
  /// The files that `service` was started with; empty without TLS.
  CertificateWatch(serve::Service& service, std::filesystem::path certificate, std::filesystem::path key);

  /// Looks at the files once a second, or at once when `asked`, and takes them when they are others than before. What
  /// cannot be used (a certificate whose key is not there yet) is logged, and the server keeps what it has until the
  /// files change again.
  void look(bool asked);

 private:
  [[nodiscard]] std::string state() const;
  void take();

  serve::Service& service_;
  const std::filesystem::path certificate_, key_;
  std::string seen_;  // what the files were like when they were last read
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace imago::app
