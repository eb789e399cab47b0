// SPDX-License-Identifier: Apache-2.0
// Inside data/: a new file, written piece by piece.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

#include "base/error.hpp"

namespace imago::data {

class LineFile {
 public:
  static Result<LineFile> create(const std::filesystem::path& path);
  /// ResourceExhausted when the disk is full.
  Result<void> write(std::string_view bytes);
  Result<void> close();

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  using Handle = std::unique_ptr<std::FILE, Close>;
  LineFile(std::filesystem::path path, Handle file) : path_(std::move(path)), file_(std::move(file)) {}
  [[nodiscard]] tl::unexpected<Error> failure() const;

  std::filesystem::path path_;
  Handle file_;
};

}  // namespace imago::data
