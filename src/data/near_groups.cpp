// SPDX-License-Identifier: Apache-2.0
#include "data/near_groups.hpp"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "base/files.hpp"
#include "data/near_copies.hpp"

namespace imago::data {
namespace {

struct Record {
  std::array<char, 64> sha256;
  Fingerprint print;
};
static_assert(std::is_trivially_copyable_v<Record>);

}  // namespace

Result<std::unique_ptr<FingerprintFile>> FingerprintFile::create(const std::filesystem::path& folder) {
  const auto path = folder / "fingerprints";
  TRY(auto file, LineFile::create(path));
  return std::unique_ptr<FingerprintFile>(new FingerprintFile(path, std::move(file)));
}

Result<void> FingerprintFile::add(const std::string& sha256, const Fingerprint& print) {
  EXPECTS(sha256.size() == 64, "a sha256");
  Record record{.sha256 = {}, .print = print};
  std::copy(sha256.begin(), sha256.end(), record.sha256.begin());
  const std::scoped_lock lock(mutex_);
  return file_.write(as_text(std::as_bytes(std::span(&record, 1))));
}

Result<NearGroups> FingerprintFile::find_groups(const std::atomic<bool>* stop) {
  TRY_VOID(file_.close());
  NearGroups groups;
  if (fs::file_size(path_) == 0) return groups;
  TRY(const auto mapped, MappedFile::open(path_));
  const std::span records(reinterpret_cast<const Record*>(mapped.bytes().data()),
                          mapped.bytes().size() / sizeof(Record));
  std::vector<const Fingerprint*> prints;
  // By content, once each: the order of the file is that of threads, and which images are grouped may hang on it.
  std::vector<const Record*> contents;
  for (const auto& record : records) contents.push_back(&record);
  std::ranges::sort(contents, {}, &Record::sha256);
  contents.erase(std::unique(contents.begin(), contents.end(),
                             [](const Record* a, const Record* b) { return a->sha256 == b->sha256; }),
                 contents.end());
  for (const auto* record : contents) prints.push_back(&record->print);
  const auto found = group_near_copies(prints, [&](std::size_t, std::size_t) { return stop == nullptr || !*stop; });
  if (stop != nullptr && *stop) return fail(ErrorCode::Cancelled, "import stopped: nothing was changed");
  std::uint32_t number = 0;
  for (const auto& group : found) {
    ++number;
    for (const auto i : group.images) {
      const auto& sha256 = contents[i]->sha256;
      groups.emplace(std::string(sha256.begin(), sha256.end()), number);
    }
  }
  return groups;
}

}  // namespace imago::data
