# SPDX-License-Identifier: Apache-2.0
# What protoc makes of a .proto file is a library of its own: it is not our code, so our warnings are not for it, nor
# clang-tidy.
#
#   protobuf_library(TARGET FILE.proto)    messages and gRPC service; their headers are <FILE.pb.h>, <FILE.grpc.pb.h>

find_program(PROTOC protoc REQUIRED)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

function(protobuf_library TARGET PROTO)
  get_filename_component(proto ${PROTO} ABSOLUTE)
  get_filename_component(folder ${proto} DIRECTORY)
  get_filename_component(name ${proto} NAME_WE)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${TARGET})
  file(MAKE_DIRECTORY ${out})
  set(sources ${out}/${name}.pb.cc ${out}/${name}.grpc.pb.cc)
  set(headers ${out}/${name}.pb.h ${out}/${name}.grpc.pb.h)
  add_custom_command(
    OUTPUT ${sources} ${headers}
    COMMAND ${PROTOC} -I ${folder} --cpp_out=${out} --grpc_out=${out} --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN} ${proto}
    DEPENDS ${proto}
    COMMENT "Generating ${name}.proto")
  add_library(${TARGET} STATIC ${sources} ${headers})
  target_include_directories(${TARGET} SYSTEM PUBLIC ${out})
  target_link_libraries(${TARGET} PUBLIC deps::grpc)
  if(IMAGO_SANITIZE)
    list(JOIN IMAGO_SANITIZE "," sanitizers)
    target_compile_options(${TARGET} PRIVATE -fsanitize=${sanitizers})
  endif()
endfunction()
