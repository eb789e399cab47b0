# SPDX-License-Identifier: Apache-2.0
# The one place that knows third parties. Each is a target deps::NAME that a module names in THIRD_PARTY, so that its
# headers and libraries reach that module alone. Headers are SYSTEM: our warnings are for our code.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# Vocabulary, allowed everywhere: stand-ins for std::expected and std::format, which GCC 12 has not; nlohmann-json
# through json/json.hpp.
find_package(fmt REQUIRED)
find_package(tl-expected REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
add_library(imago_vocabulary INTERFACE)
target_link_libraries(imago_vocabulary INTERFACE fmt::fmt tl::expected Threads::Threads)
link_libraries(imago_vocabulary)

find_package(spdlog REQUIRED)
add_library(deps::spdlog ALIAS spdlog::spdlog)

find_package(OpenSSL REQUIRED)
add_library(deps::crypto ALIAS OpenSSL::Crypto)

find_package(simdjson REQUIRED)
add_library(deps::simdjson INTERFACE IMPORTED)
target_link_libraries(deps::simdjson INTERFACE simdjson::simdjson)

# Debian's SOCI brings no CMake config; its backends are found by name.
find_package(SQLite3 REQUIRED)
add_library(deps::soci INTERFACE IMPORTED)
target_link_libraries(deps::soci INTERFACE soci_sqlite3 soci_postgresql soci_core SQLite::SQLite3)
find_path(POSTGRESQL_INCLUDE libpq-fe.h PATH_SUFFIXES postgresql REQUIRED)
target_include_directories(deps::soci SYSTEM INTERFACE /usr/include/soci ${POSTGRESQL_INCLUDE})

# Its TLS is GnuTLS, whose header files come with its own in Debian.
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd>=0.9.75 gnutls)
add_library(deps::microhttpd ALIAS PkgConfig::MICROHTTPD)
find_package(ZLIB REQUIRED)
add_library(deps::zlib ALIAS ZLIB::ZLIB)
find_package(CURL REQUIRED)
add_library(deps::curl ALIAS CURL::libcurl)

pkg_check_modules(CODECS REQUIRED IMPORTED_TARGET libturbojpeg spng libwebp libwebpdemux)
find_package(GIF REQUIRED)
add_library(deps::codecs INTERFACE IMPORTED)
target_link_libraries(deps::codecs INTERFACE PkgConfig::CODECS GIF::GIF)

# Debian splits OpenCV and leaves out its CMake config; core and imgproc are all we use (docs/decisions/0002).
find_path(OPENCV_INCLUDE opencv2/core.hpp PATH_SUFFIXES opencv4 REQUIRED)
add_library(deps::opencv INTERFACE IMPORTED)
target_include_directories(deps::opencv SYSTEM INTERFACE ${OPENCV_INCLUDE})
target_link_libraries(deps::opencv INTERFACE opencv_imgproc opencv_core)

pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
add_library(deps::archive ALIAS PkgConfig::ARCHIVE)

include(cmake/torch.cmake)

find_package(Protobuf REQUIRED)
add_library(deps::onnx INTERFACE IMPORTED)
target_link_libraries(deps::onnx INTERFACE onnx onnx_proto protobuf::libprotobuf)
target_compile_definitions(deps::onnx INTERFACE ONNX_NAMESPACE=onnx ONNX_ML=1)

# Debian's CMake config of gRPC asks for libraries that only its own build needs.
find_library(GRPCPP grpc++ REQUIRED)
find_library(GRPC grpc REQUIRED)
find_library(GPR gpr REQUIRED)
add_library(deps::grpc INTERFACE IMPORTED)
find_library(ABSL_SYNCHRONIZATION absl_synchronization REQUIRED)  # inline code of gRPC's headers uses its mutex
target_link_libraries(deps::grpc INTERFACE ${GRPCPP} ${GRPC} ${GPR} ${ABSL_SYNCHRONIZATION} protobuf::libprotobuf)

# OpenVINO comes from its PyPI wheel, unpacked by scripts/setup; -DOpenVINO_DIR=... names another one.
if(NOT OpenVINO_DIR)
  file(GLOB OpenVINO_DIR "${PROJECT_SOURCE_DIR}/.deps/openvino/openvino/cmake")
endif()
find_package(OpenVINO REQUIRED COMPONENTS Runtime)
add_library(deps::openvino ALIAS openvino::runtime)

find_package(prometheus-cpp REQUIRED COMPONENTS core)
add_library(deps::prometheus ALIAS prometheus-cpp::core)

find_package(CLI11 REQUIRED)
find_package(yaml-cpp REQUIRED)
add_library(deps::cli INTERFACE IMPORTED)
target_link_libraries(deps::cli INTERFACE CLI11::CLI11 yaml-cpp)

if(IMAGO_TESTS)
  find_package(GTest REQUIRED)
endif()
