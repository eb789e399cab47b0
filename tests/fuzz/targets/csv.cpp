// SPDX-License-Identifier: Apache-2.0
#include "data/manifest.hpp"
#include "data/source.hpp"
#include "fuzz/target.hpp"

namespace {

/// The reader wants a file. One for the whole run, with an image beside it that a row may name.
const imago::fs::path& table() {
  static const auto folder =
      imago::TemporaryDirectory::create(imago::fs::temp_directory_path(), "imago-fuzz-csv").value();
  static const auto path = [] {
    EXPECTS(imago::write_file(folder.path() / "a.png", "image"), "the temporary folder can be written");
    return folder.path() / "table.csv";
  }();
  return path;
}

}  // namespace

FUZZ_TARGET(csv) {
  EXPECTS(imago::write_file(table(), input), "the temporary folder can be written");
  static_cast<void>(imago::data::read_csv(table(), {}, [](imago::data::SourceItem item) -> imago::Result<void> {
    if (item.kind == imago::data::SourceItem::Kind::File)
      EXPECTS(imago::data::is_safe_path(item.path) && item.bytes == "image", "only files of its own folder are read");
    return {};
  }));
}
