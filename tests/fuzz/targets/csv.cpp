// SPDX-License-Identifier: Apache-2.0
#include "data/manifest.hpp"
#include "data/source.hpp"
#include "fuzz/target.hpp"

namespace {

/// One for the whole run, with an image that a row may name, beside one that none may.
const imago::fs::path& folder() {
  static const auto outside =
      imago::TemporaryDirectory::create(imago::fs::temp_directory_path(), "imago-fuzz-csv").value();
  static const auto path = [] {
    const auto inside = outside.path() / "table";
    EXPECTS(imago::make_directories(inside) && imago::write_file(inside / "a.png", "image") &&
                imago::write_file(outside.path() / "a.png", "secret"),
            "the temporary folder can be written");
    return inside;
  }();
  return path;
}

}  // namespace

FUZZ_TARGET(csv) {
  using imago::data::SourceItem;
  std::uint64_t before = 0;
  static_cast<void>(imago::data::read_table(input, folder(), {}, [&](SourceItem item) -> imago::Result<void> {
    if (item.kind == SourceItem::Kind::File)
      EXPECTS(imago::data::is_safe_path(item.path) && item.bytes == "image", "only files of its own folder are read");
    EXPECTS(item.bytes_read > before && item.bytes_read <= item.bytes_total, "every row takes some of the table");
    before = item.bytes_read;
    return {};
  }));
}
