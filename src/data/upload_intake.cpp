// SPDX-License-Identifier: Apache-2.0
#include "data/upload_intake.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/rng.hpp"
#include "data/aliases.hpp"
#include "data/arrays.hpp"
#include "data/source.hpp"
#include "image/decode.hpp"
#include "image/encode.hpp"

namespace imago::data {
namespace {

constexpr std::size_t kMaxName = 1024;
constexpr std::size_t kMaxLabel = 64;
constexpr SourceLimits kArchiveLimits{.file_bytes = 32U << 20,
                                      .total_bytes = std::uint64_t{2} << 30,
                                      .files = 4 * kMaxUploadFiles,  // folders are entries too
                                      .ratio = 200,
                                      .ratio_from = 32U << 20};

/// "new/train/cat/1.jpg" -> "cat".
std::string folder_in(std::string_view name) {
  const auto slash = name.rfind('/');
  if (slash == std::string_view::npos) return {};
  const auto folders = name.substr(0, slash);
  return std::string(folders.substr(folders.rfind('/') + 1));  // npos + 1 is 0
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

/// Terminals obey control characters, and these names are shown there.
bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

/// What is wrong with a name; empty when nothing is.
std::string fault_of(const std::string& name) {
  if (!is_safe_path(name)) return "its name is absolute, or has \"..\" or a backslash in it";
  if (name.size() > kMaxName) return fmt::format("its name has {} bytes, at most {}", name.size(), kMaxName);
  if (has_control_characters(name)) return "its name has control characters";
  if (!is_utf8(name)) return "its name is not UTF-8";
  return {};
}

/// For showing what must not be shown as it is.
std::string printable(std::string name) {
  std::replace_if(
      name.begin(), name.end(),
      [](char c) {
        return has_control_characters({&c, 1});
      },
      '?');
  if (name.size() > kMaxName) name.resize(kMaxName);
  return name;
}

}  // namespace

Result<std::string> check_label(const std::string& given, const std::vector<std::string>& labels,
                                const std::map<std::string, std::string>& aliases) {
  if (given.empty()) return std::string();
  if (given.size() > kMaxLabel || has_control_characters(given) || !is_utf8(given) || !is_safe_path(given) ||
      given.find('/') != std::string::npos)
    return fail(ErrorCode::InvalidArgument, "'{}' cannot be a label: up to {} bytes of text without '/'",
                printable(given), kMaxLabel);
  if (labels.empty()) return given;
  if (auto label = resolve_label(given, labels, aliases)) return std::move(*label);
  return fail(ErrorCode::InvalidArgument, "label '{}' is not one of {}", given, fmt::join(labels, ", "));
}

UploadIntake::UploadIntake(fs::path folder, const std::vector<std::string>& labels)
    : folder_(std::move(folder)),
      labels_(labels),
      known_aliases_(default_aliases(labels)),
      created_(format_utc(system_clock().wall())) {}

void UploadIntake::refuse(const std::string& name, std::string reason) {
  rejected_.push_back({printable(name), std::move(reason)});
}

Result<void> UploadIntake::count_file() {
  if (++files_ > kMaxUploadFiles)
    return fail(ErrorCode::InvalidArgument, "more than {} files in one upload: nothing was taken; send it in parts",
                kMaxUploadFiles);
  return {};
}

void UploadIntake::take_back(std::size_t accepted) {
  std::error_code ignored;  // the folder goes at the end, and what is in it too
  for (std::size_t i = accepted; i < accepted_.size(); ++i) fs::remove(folder_ / accepted_[i].id, ignored);
  accepted_.resize(accepted);
  given_.resize(accepted);
}

Result<void> UploadIntake::keep(const std::string& name, const std::string& given, std::string_view bytes) {
  const auto label = check_label(given, labels_, known_aliases_);
  if (!label) {
    refuse(name, label.error().message);
    return {};
  }
  const auto image = image::decode(as_bytes(bytes));
  if (!image) {
    refuse(name, image.error().message);
    return {};
  }
  Upload upload{.id = "u" + random_hex(8),
                .name = name,
                .label = *label,
                .sha256 = sha256(bytes),
                .bytes = bytes.size(),
                .width = image->width,
                .height = image->height,
                .created = created_};
  TRY_VOID(write_file(folder_ / upload.id, bytes));
  accepted_.push_back(std::move(upload));
  given_.push_back(given);
  return {};
}

Result<void> UploadIntake::take_file(const std::string& name, const std::string& label, std::string_view bytes) {
  TRY_VOID(count_file());
  if (bytes.empty()) {
    refuse(name, "it is empty");
    return {};
  }
  return keep(name, label, bytes);
}

Result<void> UploadIntake::take_archive(const IncomingFile& file) {
  const std::size_t accepted = accepted_.size();
  const std::size_t rejected = rejected_.size();
  std::optional<Error> fatal;  // ours, not the archive's
  const auto read =
      read_archive_bytes(file.name, file.bytes, kArchiveLimits, [&](const SourceItem& item) -> Result<void> {
        if (item.kind == SourceItem::Kind::Folder) return {};
        const auto name = file.name + "/" + item.path;
        Result<void> taken;
        if (item.kind == SourceItem::Kind::Refused || is_clutter(item.path)) {
          taken = count_file();
          refuse(name, item.reason.empty() ? "a hidden file" : item.reason);
        } else if (const auto fault = fault_of(item.path); !fault.empty()) {
          taken = count_file();
          refuse(name, fault);
        } else {
          // The archive's own name is no folder: only what is inside can name a class.
          taken = take_file(name, file.label.empty() ? folder_in(item.path) : file.label, item.bytes);
        }
        if (!taken) fatal = taken.error();
        return taken;
      });
  if (fatal) return tl::unexpected<Error>(std::move(*fatal));
  if (!read) {  // half of a damaged archive is not what was sent
    take_back(accepted);
    rejected_.resize(rejected);
    refuse(file.name, read.error().message);
  } else if (accepted_.size() == accepted && rejected_.size() == rejected) {
    refuse(file.name, "it has no files in it");
  }
  return {};
}

Result<void> UploadIntake::take_arrays(const IncomingFile& file) {
  const auto images = read_npz(file.name, file.bytes, labels_);
  if (!images || images->size() == 0) {
    TRY_VOID(count_file());
    refuse(file.name, images ? "it has no images in it" : images.error().message);
    return {};
  }
  for (std::size_t i = 0; i < images->size(); ++i) {
    TRY_VOID(count_file());
    const auto name = fmt::format("{}[{}]", file.name, i);
    const auto label = images->label(i);
    if (!label && file.label.empty()) {
      refuse(name, label.error().message);
      continue;
    }
    TRY(const auto png, image::encode_png(images->image(i)));
    TRY_VOID(keep(name, file.label.empty() ? *label : file.label, png));
  }
  return {};
}

Result<void> UploadIntake::take(const IncomingFile& incoming) {
  IncomingFile file{incoming.name, trimmed(incoming.label), incoming.bytes};
  while (file.name.starts_with("./")) file.name.erase(0, 2);
  if (file.name.empty()) file.name = "file";
  if (auto fault = fault_of(file.name); !fault.empty()) {
    TRY_VOID(count_file());
    refuse(file.name, std::move(fault));
    return {};
  }
  if (looks_like_npz(file.bytes)) return take_arrays(file);
  if (looks_like_archive(file.bytes)) return take_archive(file);
  return take_file(file.name, file.label.empty() ? folder_in(file.name) : file.label, file.bytes);
}

UploadReport UploadIntake::finish() {
  std::map<std::pair<std::string, std::string>, std::size_t> uses;
  for (std::size_t i = 0; i < accepted_.size(); ++i)
    if (!accepted_[i].label.empty() && given_[i] != accepted_[i].label) ++uses[{given_[i], accepted_[i].label}];
  UploadReport report{std::move(accepted_), std::move(rejected_), {}};
  for (const auto& [names, files] : uses) report.aliases.push_back({names.first, names.second, files});
  return report;
}

}  // namespace imago::data
