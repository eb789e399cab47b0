// SPDX-License-Identifier: Apache-2.0
// With what a server proves who it is, and which TLS it speaks (GnuTLS, which libmicrohttpd is built on).
#pragma once

#include <filesystem>
#include <string>

#include "base/error.hpp"

namespace imago::http {

/// TLS 1.2 and 1.3, with keys of a connection that the server's key does not reveal later (forward secrecy).
inline constexpr const char* kTlsPriorities =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-AES-128-CBC:-AES-256-CBC:%SERVER_PRECEDENCE";

struct TlsIdentity {
  std::string certificate;  ///< PEM: the server's own, then those that lead to one that clients trust
  std::string key;          ///< PEM, not encrypted
};

/// Reads both files and makes sure that a server can start with them. NotFound for a file that is not there;
/// InvalidArgument for one that cannot be read or is not PEM, an encrypted key, a key that is not the certificate's.
/// Warns in the log of a key that every user of the machine may read, and of a certificate that is not valid now.
Result<TlsIdentity> read_tls_identity(const std::filesystem::path& certificate, const std::filesystem::path& key);

}  // namespace imago::http
