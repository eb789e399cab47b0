// SPDX-License-Identifier: Apache-2.0
#include "data/manifest.hpp"

#include <algorithm>
#include <set>

namespace imago::data {
namespace {

constexpr int kFormat = 1;
constexpr std::size_t kVersionDigits = 12;

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<Entry> entry_from(const json::Value& row) {
  Entry entry;
  TRY(entry.path, json::get<std::string>(row, "path"));
  TRY(entry.sha256, json::get<std::string>(row, "sha256"));
  TRY(entry.label, json::get<int>(row, "label"));
  TRY(const auto split, json::get<std::string>(row, "split"));
  TRY(entry.split, split_from(split));
  TRY(entry.width, json::get<int>(row, "width"));
  TRY(entry.height, json::get<int>(row, "height"));
  TRY(entry.source, json::get_or<std::string>(row, "source", ""));
  return entry;
}

Result<void> check_entry(const Entry& entry, const Manifest& manifest) {
  // The hash becomes a file name: anything but hex digits could name a file elsewhere.
  if (!is_sha256(entry.sha256)) return fail(ErrorCode::Corrupt, "'{}' is not a sha256", entry.sha256);
  if (!is_safe_path(entry.path)) return fail(ErrorCode::Corrupt, "path '{}' is not relative and plain", entry.path);
  if (entry.label < 0 || static_cast<std::size_t>(entry.label) >= manifest.labels.size())
    return fail(ErrorCode::Corrupt, "label {}, but {} classes", entry.label, manifest.labels.size());
  if (entry.width < 1 || entry.height < 1) return fail(ErrorCode::Corrupt, "{} x {} pixels", entry.width, entry.height);
  if (!manifest.entries.empty() && manifest.entries.back().path >= entry.path)
    return fail(ErrorCode::Corrupt, "path '{}' comes after '{}': rows are sorted and unique", entry.path,
                manifest.entries.back().path);
  return {};
}

Result<ManifestHeader> decode_header(const json::Value& value) {
  ManifestHeader header;
  TRY(const auto kind, json::get<std::string>(value, "imago"));
  TRY(const int format, json::get<int>(value, "format"));
  if (kind != "dataset") return fail(ErrorCode::Corrupt, "it is a '{}', not a dataset", kind);
  if (format != kFormat) return fail(ErrorCode::Unsupported, "format {}, but this program reads {}", format, kFormat);
  TRY(header.name, json::get<std::string>(value, "name"));
  TRY_VOID(check_name(header.name));
  TRY(header.labels, json::get<std::vector<std::string>>(value, "labels"));
  if (std::set(header.labels.begin(), header.labels.end()).size() != header.labels.size() || header.labels.empty())
    return fail(ErrorCode::Corrupt, "labels must be unique, and at least one");
  TRY(header.parent, json::get_or<std::string>(value, "parent", ""));
  TRY(header.entries, json::get<std::size_t>(value, "entries"));
  return header;
}

Result<void> decode_row(std::string_view line, Manifest& manifest) {
  TRY(const auto row, json::parse(line));
  TRY(auto entry, entry_from(row));
  TRY_VOID(check_entry(entry, manifest));
  manifest.entries.push_back(std::move(entry));
  return {};
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

Result<Manifest> decode_lines(std::string_view text) {
  TRY(const auto first, json::parse(take_line(text)));
  TRY(auto header, decode_header(first));
  Manifest manifest{std::move(header.name), std::move(header.labels), {}, std::move(header.parent)};
  for (std::size_t row = 2; !text.empty(); ++row) {
    const auto line = take_line(text);
    if (auto decoded = decode_row(line, manifest); !decoded) return pass(decoded, fmt::format("line {}", row));
  }
  if (manifest.entries.size() != header.entries)
    return fail(ErrorCode::Corrupt, "{} rows, but its first line says {}", manifest.entries.size(), header.entries);
  return manifest;
}

}  // namespace

std::string_view to_string(Split split) noexcept {
  switch (split) {
    case Split::Train: return "train";
    case Split::Validation: return "validation";
    case Split::Test: return "test";
  }
  return "unknown";
}

Result<Split> split_from(std::string_view name) {
  if (name == "train") return Split::Train;
  if (name == "validation" || name == "val") return Split::Validation;
  if (name == "test") return Split::Test;
  return fail(ErrorCode::InvalidArgument, "no split '{}': there are train, validation and test", name);
}

std::vector<std::size_t> Manifest::indices(Split split) const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries[i].split == split) found.push_back(i);
  return found;
}

Result<void> check_name(std::string_view name) {
  constexpr std::string_view kFirst = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::string_view kOther = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  if (name.empty() || name.size() > 64 || kFirst.find(name[0]) == std::string_view::npos ||
      name.find_first_not_of(kOther) != std::string_view::npos)
    return fail(ErrorCode::InvalidArgument,
                "'{}' cannot name a data set: use up to 64 of a-z, 0-9, '_' and '-', beginning with a letter or digit",
                name);
  if (name == "objects" || name == "cache")
    return fail(ErrorCode::InvalidArgument, "'{}' cannot name a data set: it is taken", name);
  return {};
}

bool is_safe_path(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\\') != std::string_view::npos ||
      path.find('\0') != std::string_view::npos)
    return false;
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const auto part = path.substr(start, end - start);
    if (part.empty() || part == "." || part == "..") return false;
    start = end + 1;
  }
  return true;
}

VersionHash::VersionHash(const std::vector<std::string>& labels) {
  feed(fmt::format("labels {}", labels.size()));
  for (const auto& label : labels) feed(label);
}

void VersionHash::add(const Entry& entry) {
  feed(entry.path);
  feed(entry.sha256);
  feed(fmt::format("{} {}", entry.label, to_string(entry.split)));
}

std::string VersionHash::finish() { return hash_.finish().substr(0, kVersionDigits); }

void VersionHash::feed(std::string_view text) {  // with its length, so that no two manifests read the same
  hash_.update(fmt::format("{}:", text.size()));
  hash_.update(text);
}

std::string version_of(const Manifest& manifest) {
  VersionHash hash(manifest.labels);
  for (const auto& entry : manifest.entries) hash.add(entry);
  return hash.finish();
}

std::string encode_header(const ManifestHeader& header) {
  return json::dump(json::Value{{"imago", "dataset"},
                                {"format", kFormat},
                                {"name", header.name},
                                {"labels", header.labels},
                                {"parent", header.parent},
                                {"entries", header.entries}});
}

std::string encode_row(const Entry& entry) {
  return json::dump(json::Value{{"path", entry.path},
                                {"sha256", entry.sha256},
                                {"label", entry.label},
                                {"split", to_string(entry.split)},
                                {"width", entry.width},
                                {"height", entry.height},
                                {"source", entry.source}});
}

std::string encode_manifest(const Manifest& manifest) {
  auto text = encode_header({manifest.name, manifest.labels, manifest.parent, manifest.entries.size()}) + '\n';
  for (const auto& entry : manifest.entries) text += encode_row(entry) + '\n';
  return text;
}

Result<ManifestHeader> decode_manifest_header(std::string_view line) {
  auto header = json::parse(line).and_then(decode_header);
  if (!header) return fail(ErrorCode::Corrupt, "broken manifest: {}", header.error().message);
  return header;
}

Result<Manifest> decode_manifest(std::string_view text) {
  auto manifest = decode_lines(text);
  if (!manifest) return fail(ErrorCode::Corrupt, "broken manifest: {}", manifest.error().message);
  return manifest;
}

}  // namespace imago::data
