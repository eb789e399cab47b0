// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4, by OpenSSL), always written as 64 lowercase hex digits.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace imago {

using Bytes = std::span<const std::byte>;

/// Hashes what is fed to it piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(Bytes bytes);
  void update(std::string_view text);
  /// The digest of all so far; the object is then spent.
  std::string finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string sha256(Bytes bytes);
std::string sha256(std::string_view text);
Result<std::string> sha256_file(const std::filesystem::path& path);

}  // namespace imago
