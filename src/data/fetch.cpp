// SPDX-License-Identifier: Apache-2.0
#include "data/fetch.hpp"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "base/files.hpp"

namespace imago::data {
namespace {

/// The official files (https://www.cs.toronto.edu/~kriz/cifar.html).
struct Official {
  std::string_view file, url, sha256;
};
constexpr Official kCifar10{"cifar-10-binary.tar.gz", "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"};
constexpr Official kCifar100{"cifar-100-binary.tar.gz", "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
                             "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"};

/// What one data set looks like on disk.
struct Looks {
  std::string_view title;
  std::vector<std::string_view> names;                  // files or folders, the best first
  std::vector<std::vector<std::string_view>> contents;  // a folder with all of one row is the data set itself
};

const Looks& cifar10_looks() {
  static const Looks looks{"CIFAR-10",
                           {"cifar-10-images.tar.zst", kCifar10.file, "cifar-10-python.tar.gz", "cifar-10-batches-bin",
                            "cifar-10-batches-py", "cifar-10-images"},
                           {{"data_batch_1.bin", "test_batch.bin"}, {"data_batch_1", "test_batch"}, {"train", "test"}}};
  return looks;
}

const Looks& cifar100_looks() {
  static const Looks looks{"CIFAR-100",
                           {kCifar100.file, "cifar-100-python.tar.gz", "cifar-100-binary", "cifar-100-python"},
                           {{"train.bin", "test.bin"}, {"train", "test", "meta"}}};
  return looks;
}

const Looks& cats_dogs_looks() {
  static const Looks looks{
      "cats and dogs", {"cats-dogs.tar", "cats-dogs"}, {{"cat", "dog"}, {"cats", "dogs"}, {"train", "test"}}};
  return looks;
}

bool present(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

std::optional<fs::path> find_inside(const fs::path& folder, const Looks& looks) {
  for (const auto name : looks.names)
    if (present(folder / name)) return folder / name;
  return std::nullopt;
}

std::optional<fs::path> is_itself(const fs::path& folder, const Looks& looks) {
  for (const auto& row : looks.contents)
    if (std::all_of(row.begin(), row.end(), [&](std::string_view name) { return present(folder / name); }))
      return folder;
  return std::nullopt;
}

struct SearchedFolder {
  fs::path folder;
  std::string description;
};

/// Folders that are looked into, in order; those that are not there are kept, for the message.
std::vector<SearchedFolder> places(const Locate& where) {
  std::vector<SearchedFolder> found;
  if (const char* data = std::getenv("IMAGO_DATA"); data != nullptr && *data != '\0')
    found.push_back({data, "$IMAGO_DATA"});
  std::error_code error;
  const auto shared = fs::path("..") / "shared" / "data";
  found.push_back({fs::current_path(error) / shared, "../shared/data"});
  const auto executable = fs::read_symlink("/proc/self/exe", error);
  auto project = executable.parent_path();
  for (int up = 0; up < 3 && project.has_relative_path(); ++up, project = project.parent_path())
    found.push_back({project / shared, "../shared/data"});
  if (!where.downloads.empty()) found.push_back({where.downloads, "an earlier download"});
  return found;
}

Result<Located> locate_given(const fs::path& from, const Looks& looks) {
  std::error_code error;
  if (!present(from)) return fail(ErrorCode::NotFound, "--from {}: no such file or folder", from.string());
  if (!fs::is_directory(from, error)) return Located{from, "--from"};
  if (const auto inside = find_inside(from, looks)) return Located{*inside, "--from"};
  if (const auto itself = is_itself(from, looks)) return Located{*itself, "--from"};
  std::string names;
  for (const auto name : looks.names) names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  return fail(ErrorCode::NotFound, "--from {}: no {} in it; looked for {}", from.string(), looks.title, names);
}

std::optional<Located> locate_around(const Locate& where, const Looks& looks) {
  for (const auto& [folder, description] : places(where)) {
    if (const auto inside = find_inside(folder, looks)) return Located{inside->lexically_normal(), description};
    if (description == "$IMAGO_DATA")
      if (const auto itself = is_itself(folder, looks)) return Located{*itself, description};
  }
  return std::nullopt;
}

std::string looked_at(const Locate& where) {
  std::string text;
  for (const auto& place : places(where)) {
    const auto folder = place.folder.lexically_normal().string();
    if (text.find(folder) == std::string::npos) text += (text.empty() ? "" : ", ") + folder;
  }
  return text;
}

Result<Located> locate_or_download(const Locate& where, const Looks& looks, const Official& official) {
  if (!where.from.empty()) return locate_given(where.from, looks);
  if (auto found = locate_around(where, looks)) return std::move(*found);
  if (where.downloads.empty()) return fail(ErrorCode::NotFound, "no {} in {}", looks.title, looked_at(where));
  const auto target = where.downloads / official.file;
  const auto got =
      download({std::string(official.url), std::string(official.sha256)}, target, where.on_download, where.stop);
  if (!got && got.error().code == ErrorCode::Unavailable)
    return fail(ErrorCode::Unavailable, "no {} in {}, and no download: {}", looks.title, looked_at(where),
                got.error().message);
  if (!got) return tl::unexpected<Error>(got.error());
  return Located{target, "download"};
}

}  // namespace

Result<Located> locate_cifar10(const Locate& where) { return locate_or_download(where, cifar10_looks(), kCifar10); }

Result<Located> locate_cifar100(const Locate& where) { return locate_or_download(where, cifar100_looks(), kCifar100); }

Result<Located> locate_cats_dogs(const Locate& where) {
  if (!where.from.empty()) return locate_given(where.from, cats_dogs_looks());
  if (auto found = locate_around(where, cats_dogs_looks())) return std::move(*found);
  return fail(ErrorCode::NotFound, "no cats-dogs.tar in {}: say where it is with --from", looked_at(where));
}

Result<Located> locate_file(const std::string& name, const Locate& where) {
  const Looks looks{name, {name}, {}};
  if (auto found = locate_around(where, looks)) return std::move(*found);
  return fail(ErrorCode::NotFound, "no {} in {}; $IMAGO_DATA may name its folder", name, looked_at(where));
}

}  // namespace imago::data
