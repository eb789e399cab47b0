# SPDX-License-Identifier: Apache-2.0
# cmake -DOUTPUT=... -DROOT=the source tree -P embed_project.cmake
# Reads templates/files.txt: PATH_IN_THE_PROJECT SOURCE [x], one file a line.
file(STRINGS ${ROOT}/templates/files.txt lines REGEX "^[^#]")
set(rows "")
foreach(line ${lines})
  string(REGEX REPLACE " +" ";" fields "${line}")
  list(GET fields 0 path)
  list(GET fields 1 source)
  list(LENGTH fields count)
  set(executable false)
  if(count GREATER 2)
    set(executable true)
  endif()
  file(READ ${ROOT}/${source} text)
  string(APPEND rows "    {\"${path}\", R\"_imago_(${text})_imago_\", ${executable}},\n")
endforeach()
file(WRITE ${OUTPUT}.new "#include \"app/embedded_project.hpp\"

#include <array>

namespace imago::app {

std::span<const EmbeddedFile> embedded_project() {
  static constexpr auto kFiles = std::to_array<EmbeddedFile>({
${rows}  });
  return kFiles;
}

}  // namespace imago::app
")
file(COPY_FILE ${OUTPUT}.new ${OUTPUT} ONLY_IF_DIFFERENT)
