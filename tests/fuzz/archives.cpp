// SPDX-License-Identifier: Apache-2.0
#include "fuzz/archives.hpp"

#include "data/manifest.hpp"
#include "data/source.hpp"

namespace imago::fuzz {

void read_all(std::string_view input) {
  const data::SourceLimits limits{
      .file_bytes = 1U << 16, .total_bytes = 1U << 18, .files = 100, .ratio = 50, .ratio_from = 1U << 15};
  std::uint64_t bytes = 0, items = 0;
  const auto read = data::read_archive_bytes("archive", input, limits, [&](data::SourceItem item) -> Result<void> {
    EXPECTS(data::is_safe_path(item.path), "no name leads out of the archive");
    EXPECTS(item.bytes.size() <= limits.file_bytes, "no file is larger than the limit");
    EXPECTS(item.bytes_read <= item.bytes_total, "no more is read than there is");
    bytes += item.bytes.size();
    EXPECTS(bytes <= limits.total_bytes, "all files together keep to the limit");
    EXPECTS(++items <= limits.files, "there are no more files than the limit");
    return {};
  });
  if (!read) EXPECTS(!read.error().message.empty(), "a refusal says why");
}

}  // namespace imago::fuzz
