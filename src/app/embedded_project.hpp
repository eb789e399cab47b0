// SPDX-License-Identifier: Apache-2.0
// The files of `imago init`, as templates/files.txt names them, built in by cmake/embed_project.cmake.
#pragma once

#include <span>
#include <string_view>

namespace imago::app {

struct EmbeddedFile {
  std::string_view path;  ///< in the project, with forward slashes
  std::string_view text;  ///< with @project@ where its name goes
  bool executable;
};

std::span<const EmbeddedFile> embedded_project();

}  // namespace imago::app
