# SPDX-License-Identifier: Apache-2.0
# One folder of src/ = one library = one unit test binary that links only that library.
#
#   module(NAME "purpose" DEPS other modules... THIRD_PARTY libraries from deps.cmake...)
#
# Third parties are linked PRIVATE: their headers cannot be reached from other folders where they lie off the default
# include path; tests/architecture checks the rest. A file in `<folder>/<part>/` belongs to the module too.

set(IMAGO_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
    -Woverloaded-virtual -Wimplicit-fallthrough -Wno-missing-field-initializers -Werror
    -Wno-restrict)  # GCC 12 sees overlaps in std::string's operator+ that are not there (its bug 105651)

add_library(imago_options INTERFACE)
target_compile_options(imago_options INTERFACE ${IMAGO_WARNINGS})
if(IMAGO_SANITIZE)
  list(JOIN IMAGO_SANITIZE "," sanitizers)
  target_compile_options(imago_options INTERFACE -fsanitize=${sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  target_link_options(imago_options INTERFACE -fsanitize=${sanitizers})
endif()
if(IMAGO_FUZZ)
  # Clang 14: counts what runs, so that the fuzzer sees it; and it does not know GCC's names of warnings.
  target_compile_options(imago_options INTERFACE -fsanitize=fuzzer-no-link -Wno-unknown-warning-option)
endif()

function(module NAME PURPOSE)
  cmake_parse_arguments(M "" "DIRECTORY;PRECOMPILE" "DEPS;THIRD_PARTY" ${ARGN})
  if(NOT M_DIRECTORY)
    set(M_DIRECTORY ${NAME})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${M_DIRECTORY}/*.cpp)
  file(GLOB tests CONFIGURE_DEPENDS ${M_DIRECTORY}/*_test.cpp)
  if(tests)
    list(REMOVE_ITEM sources ${tests})
  endif()
  if(NOT sources)
    add_library(imago_${NAME} INTERFACE)
    set(scope INTERFACE)
    target_include_directories(imago_${NAME} INTERFACE ${PROJECT_SOURCE_DIR}/src)
  else()
    add_library(imago_${NAME} STATIC ${sources})
    set(scope PUBLIC)
    target_include_directories(imago_${NAME} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(imago_${NAME} PRIVATE imago_options ${M_THIRD_PARTY})
    if(M_PRECOMPILE)
      target_precompile_headers(imago_${NAME} PRIVATE ${M_PRECOMPILE})
    endif()
  endif()
  list(TRANSFORM M_DEPS PREPEND imago_)
  target_link_libraries(imago_${NAME} ${scope} ${M_DEPS})
  if(IMAGO_TESTS AND tests)
    add_executable(${NAME}_test ${tests})
    set_target_properties(${NAME}_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(${NAME}_test PRIVATE imago_${NAME} imago_options GTest::gmock_main)
    target_compile_definitions(${NAME}_test PRIVATE IMAGO_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_test(NAME ${NAME} COMMAND ${NAME}_test)
  endif()
endfunction()
