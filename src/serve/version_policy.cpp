// SPDX-License-Identifier: Apache-2.0
#include "serve/version_policy.hpp"

#include <algorithm>
#include <charconv>

namespace imago::serve {
namespace {

using registry::ModelVersion;

constexpr std::string_view kLatest = "latest=";
constexpr std::string_view kChampion = "champion";

std::optional<int> positive(std::string_view text) {
  int number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number < 1) return std::nullopt;
  return number;
}

Result<std::set<int>> parse_list(std::string_view which, const std::string& text) {
  std::set<int> versions;
  for (bool more = true; more;) {
    const auto comma = which.find(',');
    const auto version = positive(which.substr(0, comma));
    if (!version)
      return fail(ErrorCode::InvalidArgument, "'{}': '{}' is no version number", text, which.substr(0, comma));
    versions.insert(*version);
    more = comma != std::string_view::npos;
    if (more) which.remove_prefix(comma + 1);
  }
  return versions;
}

bool has_alias(const ModelVersion& version, std::string_view alias) {
  return std::ranges::find(version.aliases, alias) != version.aliases.end();
}

const ModelVersion* find(const std::vector<ModelVersion>& versions, int number) {
  const auto found = std::ranges::find(versions, number, &ModelVersion::version);
  return found == versions.end() ? nullptr : &*found;
}

/// The numbers that the policy alone selects. @param versions  of the model, newest first.
Result<std::set<int>> numbers_of(const VersionPolicy& policy, const std::vector<ModelVersion>& versions,
                                 registry::Registry& registry) {
  std::set<int> numbers;
  switch (policy.kind) {
    case VersionPolicy::Kind::Reference: {
      TRY(const auto version, registry.resolve(policy.reference));
      return std::set<int>{version.version};
    }
    case VersionPolicy::Kind::Specific: return policy.versions;
    case VersionPolicy::Kind::All:
    case VersionPolicy::Kind::Latest:
      for (const auto& version : versions) {
        if (policy.kind == VersionPolicy::Kind::Latest && static_cast<int>(numbers.size()) == policy.latest) break;
        numbers.insert(version.version);
      }
      return numbers;
  }
  return numbers;
}

int default_of(const SelectedVersions& selected, const std::optional<int>& preferred) {
  if (preferred && find(selected.versions, *preferred) != nullptr) return *preferred;
  const auto champion =
      std::ranges::find_if(selected.versions, [](const auto& version) { return has_alias(version, kChampion); });
  return champion != selected.versions.end() ? champion->version : selected.versions.front().version;
}

}  // namespace

const ModelVersion& SelectedVersions::chosen() const {
  const auto* found = find(versions, default_version);
  EXPECTS(found != nullptr, "the default is one of the versions");
  return *found;
}

Result<VersionPolicy> parse_version_policy(const std::string& text) {
  const auto split = text.find_first_of(":@");
  VersionPolicy policy{.model = text.substr(0, split), .reference = text};
  TRY_VOID(registry::check_model_name(policy.model));
  if (split == std::string::npos) return policy;
  const std::string_view which = std::string_view(text).substr(split + 1);
  if (which == "all") {
    policy.kind = VersionPolicy::Kind::All;
  } else if (which.starts_with(kLatest)) {
    const auto count = positive(which.substr(kLatest.size()));
    if (!count)
      return fail(ErrorCode::InvalidArgument, "'{}': give how many versions, as {}@latest=2", text, policy.model);
    policy.kind = VersionPolicy::Kind::Latest;
    policy.latest = *count;
  } else if (which.find(',') != std::string_view::npos) {
    policy.kind = VersionPolicy::Kind::Specific;
    TRY(policy.versions, parse_list(which, text));
  }
  return policy;
}

Result<SelectedVersions> select_versions(const VersionPolicy& policy, const VersionChanges& changes,
                                         registry::Registry& registry) {
  TRY(auto versions, registry.list(policy.model));
  std::ranges::sort(versions, std::greater<>{}, &ModelVersion::version);
  TRY(auto numbers, numbers_of(policy, versions, registry));
  std::optional<int> preferred = changes.default_version;
  if (!preferred && policy.kind == VersionPolicy::Kind::Reference) preferred = *numbers.begin();
  numbers.insert(changes.added.begin(), changes.added.end());
  for (const int number : numbers) {
    if (find(versions, number) == nullptr)
      return fail(ErrorCode::NotFound, "{} has no version {}", policy.model, number);
  }
  SelectedVersions selected;
  for (auto& version : versions) {
    if (numbers.contains(version.version) && !changes.removed.contains(version.version))
      selected.versions.push_back(std::move(version));
  }
  if (selected.versions.empty()) return fail(ErrorCode::NotFound, "{} has no version to serve", policy.model);
  selected.default_version = default_of(selected, preferred);
  return selected;
}

}  // namespace imago::serve
