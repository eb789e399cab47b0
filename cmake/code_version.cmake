# SPDX-License-Identifier: Apache-2.0
# Writes OUTPUT, a C++ file that says from which sources it was built: VERSION, and what git says of ROOT where git and
# its folder are there ("0.1.0-0618874f2a1b", with "-dirty" for changes that no commit has). Untouched when it would be
# the same, so that only a new commit links the program again.
execute_process(
  COMMAND git -C ${ROOT} describe --always --dirty --abbrev=12 --match v*
  OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_QUIET)
set(code_version "${VERSION}")
if(NOT failed AND described)
  set(code_version "${VERSION}-${described}")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[
#include "app/code_version.hpp"

namespace imago::app {
const char* code_version() { return "@code_version@"; }
}  // namespace imago::app
]] @ONLY)
