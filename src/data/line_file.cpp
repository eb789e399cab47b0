// SPDX-License-Identifier: Apache-2.0
#include "data/line_file.hpp"

#include <cerrno>
#include <cstring>

namespace imago::data {

tl::unexpected<Error> LineFile::failure() const {
  const int number = errno;
  const bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
  return fail(full ? ErrorCode::ResourceExhausted : ErrorCode::Internal, "writing {}: {}", path_.string(),
              std::strerror(number));
}

Result<LineFile> LineFile::create(const std::filesystem::path& path) {
  LineFile made(path, Handle(std::fopen(path.c_str(), "wbe")));
  if (!made.file_) return made.failure();
  return made;
}

Result<void> LineFile::write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) return failure();
  return {};
}

Result<void> LineFile::close() {
  if (std::fclose(file_.release()) != 0) return failure();
  return {};
}

}  // namespace imago::data
