# SPDX-License-Identifier: Apache-2.0
# One folder of src/ = one library = one unit test binary that links only that library.
#
#   module(NAME "purpose" DEPS other modules... THIRD_PARTY libraries from deps.cmake... [APART files...])
#
# Third parties are linked PRIVATE: their headers cannot be reached from other folders where they lie off the default
# include path; tests/architecture checks the rest. A file in `<folder>/<part>/` belongs to the module too.
#
# A module's files are compiled eight at a time (a unity build): one by one, most of the time goes into instantiating the
# same templates again (docs/decisions/0008). So two of them cannot keep different things of one name in their anonymous
# namespaces; files for which other names would be unnatural are compiled alone (APART). `scripts/lint --since REV` reads
# each file alone.

set(IMAGO_WARNINGS -Wall -Wextra -Wpedantic -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
    -Woverloaded-virtual -Wimplicit-fallthrough -Wno-missing-field-initializers -Werror
    -Wno-restrict  # GCC 12 sees overlaps in std::string's operator+ that are not there (its bug 105651)
    -Wno-subobject-linkage)  # an Impl that holds what is in an anonymous namespace: fine in a .cpp, unity build or not
option(IMAGO_UNITY "Compile several files at a time" ON)
if(NOT IMAGO_UNITY)
  list(APPEND IMAGO_WARNINGS -Wshadow)  # else it sees one file's names behind another's
endif()

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

if(IMAGO_TESTS)
  # Not a definition for the compiler, which every test would be compiled with.
  configure_file(${PROJECT_SOURCE_DIR}/cmake/source_dir.cpp.in ${CMAKE_BINARY_DIR}/source_dir.cpp @ONLY)
  add_library(imago_source_dir STATIC ${CMAKE_BINARY_DIR}/source_dir.cpp)
  target_include_directories(imago_source_dir PUBLIC ${PROJECT_SOURCE_DIR}/src)
endif()

# several_at_a_time(TARGET [files that are compiled alone...])
function(several_at_a_time TARGET)
  set_target_properties(${TARGET} PROPERTIES UNITY_BUILD ${IMAGO_UNITY} UNITY_BUILD_BATCH_SIZE 8)
  if(ARGN)
    set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

function(module NAME PURPOSE)
  cmake_parse_arguments(M "" "DIRECTORY;PRECOMPILE" "DEPS;THIRD_PARTY;APART" ${ARGN})
  if(NOT M_DIRECTORY)
    set(M_DIRECTORY ${NAME})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${M_DIRECTORY}/*.cpp)
  file(GLOB tests CONFIGURE_DEPENDS ${M_DIRECTORY}/*_test.cpp)
  list(TRANSFORM M_APART PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/${M_DIRECTORY}/)
  if(tests)
    list(REMOVE_ITEM sources ${tests})
  endif()
  if(NOT sources)
    add_library(imago_${NAME} INTERFACE)
    set(scope INTERFACE)
    target_include_directories(imago_${NAME} INTERFACE ${PROJECT_SOURCE_DIR}/src)
  else()
    add_library(imago_${NAME} STATIC ${sources})
    several_at_a_time(imago_${NAME} ${M_APART})
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
    several_at_a_time(${NAME}_test)
    # A third less to wait for; what they test is compiled as it will run.
    target_compile_options(${NAME}_test PRIVATE $<$<CONFIG:Release>:-O1>)
    set_target_properties(${NAME}_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(${NAME}_test PRIVATE imago_${NAME} imago_options imago_source_dir GTest::gmock_main)
    add_test(NAME ${NAME} COMMAND ${NAME}_test)
  endif()
endfunction()
