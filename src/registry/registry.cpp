// SPDX-License-Identifier: Apache-2.0
#include "registry/registry.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "json/json.hpp"

namespace imago::registry {
namespace {

constexpr std::string_view kLatest = "latest";
constexpr std::string_view kChampion = "champion";

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// 0 when `text` is no version number.
int version_from(std::string_view text) {
  int version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  return is_number(text) && error == std::errc() ? version : 0;
}

bool is_name(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 64 && plain(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
}

/// Rename, which makes a registration all or nothing, works within one file system only.
Result<void> check_same_file_system(const fs::path& staged, const fs::path& folder) {
  struct stat from {};
  struct stat to {};
  if (::stat(staged.c_str(), &from) != 0) return fail(ErrorCode::NotFound, "no package at {}", staged.string());
  if (::stat(folder.c_str(), &to) != 0) return fail(ErrorCode::NotFound, "no folder {}", folder.string());
  if (from.st_dev != to.st_dev)
    return fail(ErrorCode::InvalidArgument,
                "{} and {} lie on different file systems: copy the package next to the models first", staged.string(),
                folder.string());
  return {};
}

/// What a package says of its accuracy on the test split; -1 when it does not.
double test_accuracy_of(const json::Value& report) {
  const auto test = json::get<json::Value>(report, "test");
  const auto accuracy = test ? json::get<double>(*test, "accuracy") : Result<double>(-1.0);
  return accuracy.value_or(-1.0);
}

ModelVersion version_of(const store::Row& row) {
  ModelVersion version;
  version.model = row.text("model");
  version.version = static_cast<int>(row.integer("version"));
  version.digest = row.text("digest");
  version.created = row.text("created");
  version.run = row.text("run");
  version.test_accuracy = row.is_null("test_accuracy") ? -1.0 : row.real("test_accuracy");
  return version;
}

Result<model::AbstentionPolicy> policy_of(const store::Row& row) {
  auto policy = json::parse(row.text("policy")).and_then(model::abstention_from_json);
  if (!policy)
    return fail(ErrorCode::Corrupt, "the abstention policy of {}:{}: {}", row.text("model"), row.integer("version"),
                policy.error().message);
  return policy;
}

/// Gives each version the newest policy that was set for it.
Result<void> add_policies(store::Database& database, const std::string& model, std::vector<ModelVersion>& versions) {
  TRY(const auto rows, database.query("SELECT model, version, number, policy FROM abstention_policies "
                                      "WHERE :a = '' OR model = :a ORDER BY number",
                                      {model}));
  std::map<std::pair<std::string, std::int64_t>, const store::Row*> newest;
  for (const auto& row : rows) newest[{row.text("model"), row.integer("version")}] = &row;
  for (ModelVersion& version : versions) {
    const auto found = newest.find({version.model, version.version});
    if (found == newest.end()) continue;
    TRY(version.abstention, policy_of(*found->second));
    version.abstention_change = static_cast<int>(found->second->integer("number"));
  }
  return {};
}

Result<std::vector<ModelVersion>> list_in(store::Database& database, const std::string& model) {
  TRY(const auto rows, database.query("SELECT model, version, digest, created, run, test_accuracy FROM model_versions "
                                      "WHERE :a = '' OR model = :a ORDER BY created DESC, version DESC, model",
                                      {model}));
  TRY(const auto aliases,
      database.query("SELECT model, alias, version FROM aliases WHERE :a = '' OR model = :a ORDER BY alias", {model}));
  std::map<std::pair<std::string, std::int64_t>, std::vector<std::string>> names;
  for (const auto& row : aliases) names[{row.text("model"), row.integer("version")}].push_back(row.text("alias"));
  std::vector<ModelVersion> versions;
  for (const auto& row : rows) {
    versions.push_back(version_of(row));
    versions.back().aliases = names[{versions.back().model, versions.back().version}];
  }
  TRY_VOID(add_policies(database, model, versions));
  return versions;
}

/// Version 0: it was taken away.
Result<void> note_move(store::Database& inside, const std::string& model, const std::string& alias,
                       std::int64_t version, const std::string& time, const std::string& reason) {
  TRY(const auto last,
      inside.query("SELECT number FROM alias_history WHERE model = :a AND alias = :b ORDER BY number DESC LIMIT 1",
                   {model, alias}));
  const std::int64_t number = last.empty() ? 1 : last.front().integer("number") + 1;
  TRY_VOID(inside.execute(
      "INSERT INTO alias_history (model, alias, number, version, time, reason) VALUES (:a, :b, :c, :d, :e, :f)",
      {model, alias, number, version, time, reason}));
  return {};
}

/// Points the alias to a version that exists, and writes the move down.
Result<void> move_alias(store::Database& inside, const std::string& model, const std::string& alias,
                        std::int64_t version, const std::string& time, const std::string& reason) {
  TRY_VOID(
      inside.execute("INSERT INTO aliases (model, alias, version, updated) VALUES (:a, :b, :c, :d) "
                     "ON CONFLICT (model, alias) DO UPDATE SET version = excluded.version, updated = excluded.updated",
                     {model, alias, version, time}));
  return note_move(inside, model, alias, version, time, reason);
}

/// Newest first.
Result<std::vector<AliasMove>> history_in(store::Database& database, const std::string& model,
                                          const std::string& alias) {
  TRY(const auto rows,
      database.query(
          "SELECT version, time, reason FROM alias_history WHERE model = :a AND alias = :b ORDER BY number DESC",
          {model, alias}));
  std::vector<AliasMove> moves;
  for (const auto& row : rows)
    moves.push_back({static_cast<int>(row.integer("version")), row.text("time"), row.text("reason")});
  return moves;
}

/// `change.previous` is where the alias is.
Result<void> check_from(const AliasChange& change, std::optional<int> only_from) {
  if (!only_from || change.previous.value_or(0) == *only_from) return {};
  return fail(ErrorCode::AlreadyExists, "{}@{} {}", change.model, change.alias,
              change.previous ? fmt::format("is version {} by now", *change.previous) : "is not there");
}

std::string rollback_reason(int from) { return fmt::format("rolled back from {}", from); }

/// The versions behind an alias that were not taken back, oldest first; the last is where it points.
std::vector<int> trail_of(const std::vector<AliasMove>& newest_first) {
  std::vector<int> trail;
  const std::vector<AliasMove> oldest_first(newest_first.rbegin(), newest_first.rend());
  for (const AliasMove& move : oldest_first) {
    const bool back =
        trail.size() >= 2 && trail[trail.size() - 2] == move.version &&
        (move.reason == rollback_reason(trail.back()) || move.reason.starts_with(rollback_reason(trail.back()) + ":"));
    if (move.version == 0) {
      trail.clear();
    } else if (back) {
      trail.pop_back();
    } else if (trail.empty() || trail.back() != move.version) {
      trail.push_back(move.version);
    }
  }
  return trail;
}

Result<std::int64_t> next_version(store::Database& inside, const std::string& model, const std::string& time) {
  TRY_VOID(inside.execute("INSERT INTO models (name, created) VALUES (:a, :b) ON CONFLICT (name) DO NOTHING",
                          {model, time}));
  TRY(const auto last,
      inside.query("SELECT version FROM model_versions WHERE model = :a ORDER BY version DESC LIMIT 1", {model}));
  return last.empty() ? 1 : last.front().integer("version") + 1;
}

Result<void> insert_version(store::Database& inside, const ModelVersion& version, const json::Value& lineage) {
  const store::Value accuracy = version.test_accuracy < 0.0 ? store::Value() : store::Value(version.test_accuracy);
  TRY_VOID(
      inside.execute("INSERT INTO model_versions (model, version, digest, created, run, test_accuracy, lineage) "
                     "VALUES (:a, :b, :c, :d, :e, :f, :g)",
                     {version.model, std::int64_t{version.version}, version.digest, version.created,
                      store::text_or_null(version.run), accuracy, json::dump(lineage)}));
  return {};
}

/// A folder for a version that has no row: what a crash between rename and commit left. We hold the lock, so nobody is
/// about to write its row.
void remove_leftover(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return;
  log::warning("{} was registered half by a process that died: removed", folder.string());
  fs::remove_all(folder, error);  // publishing will say what is wrong if it is still there
}

std::string offered(const std::vector<ModelVersion>& versions) {
  std::string text;
  for (const auto& version : versions) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : ", ", version.model, version.version);
    for (const auto& alias : version.aliases) text += fmt::format(" @{}", alias);
  }
  return text.empty() ? "no models yet" : text;
}

const ModelVersion* with_alias(const std::vector<ModelVersion>& versions, std::string_view alias) {
  const auto found = std::find_if(versions.begin(), versions.end(), [&](const ModelVersion& version) {
    return std::find(version.aliases.begin(), version.aliases.end(), alias) != version.aliases.end();
  });
  return found == versions.end() ? nullptr : &*found;
}

/// `versions` of one model, newest first; `wanted` is a number, an alias, or empty.
const ModelVersion* choose(const std::vector<ModelVersion>& versions, std::string_view wanted) {
  if (versions.empty()) return nullptr;
  if (wanted.empty()) {
    const auto* champion = with_alias(versions, kChampion);
    return champion != nullptr ? champion : &versions.front();
  }
  if (const int number = version_from(wanted); number > 0) {
    const auto same = [&](const ModelVersion& version) { return version.version == number; };
    const auto found = std::find_if(versions.begin(), versions.end(), same);
    return found == versions.end() ? nullptr : &*found;
  }
  return with_alias(versions, wanted);
}

}  // namespace

Result<void> check_model_name(std::string_view name) {
  if (is_name(name)) return {};
  return fail(ErrorCode::InvalidArgument, "'{}' cannot name a model: use 1 to 64 of a-z, 0-9, '.', '_', '-'", name);
}

Result<void> check_alias(std::string_view alias) {
  if (is_name(alias) && !is_number(alias)) return {};
  return fail(ErrorCode::InvalidArgument,
              "'{}' cannot be an alias: use 1 to 64 of a-z, 0-9, '.', '_', '-', and not a number", alias);
}

Registry::Registry(store::Database& database, fs::path models_folder)
    : database_(database), folder_(std::move(models_folder)) {}

fs::path Registry::folder_of(const std::string& model, int version) const {
  return folder_ / model / fmt::format("{}", version);
}

Result<ModelVersion> Registry::register_package(const std::string& model, const fs::path& staged,
                                                const std::string& run, const std::vector<std::string>& aliases,
                                                const std::string& reason) {
  TRY_VOID(check_model_name(model));
  for (const auto& alias : aliases) TRY_VOID(check_alias(alias));
  TRY(const auto package, package::open_package(staged));
  TRY_VOID(make_directories(folder_ / model));
  TRY_VOID(check_same_file_system(staged, folder_ / model));
  TRY(const auto alone, FileLock::lock(folder_ / ".lock"));

  ModelVersion made{.model = model,
                    .version = 0,
                    .digest = package.digest,
                    .created = format_utc(system_clock().wall()),
                    .run = run,
                    .test_accuracy = test_accuracy_of(package.report),
                    .aliases = aliases};
  if (std::find(aliases.begin(), aliases.end(), kLatest) == aliases.end()) made.aliases.emplace_back(kLatest);
  std::sort(made.aliases.begin(), made.aliases.end());

  bool moved = false;
  auto done = database_.transaction([&](store::Database& inside) -> Result<void> {
    TRY(const auto version, next_version(inside, model, made.created));
    made.version = static_cast<int>(version);
    TRY_VOID(insert_version(inside, made, package.lineage));
    for (const auto& alias : made.aliases) TRY_VOID(move_alias(inside, model, alias, version, made.created, reason));
    // Last, so that only the commit can fail after it.
    remove_leftover(folder_of(model, made.version));
    TRY_VOID(publish_directory(staged, folder_of(model, made.version)));
    moved = true;
    return {};
  });
  if (!done && moved) {
    std::error_code
        ignored;  // if it stays, it is a leftover, and the package is safe in it until the next registration
    fs::rename(folder_of(model, made.version), staged, ignored);
  }
  if (!done) return pass(done, fmt::format("registering {}", model));
  return made;
}

Result<std::vector<ModelVersion>> Registry::list(const std::string& model) { return list_in(database_, model); }

Result<ModelVersion> Registry::resolve(const std::string& reference) {
  const auto separator = reference.find_first_of(":@");
  const std::string model = reference.substr(0, separator);
  const std::string wanted = separator == std::string::npos ? "" : reference.substr(separator + 1);
  TRY_VOID(check_model_name(model));
  if (separator != std::string::npos && wanted.empty())
    return fail(ErrorCode::InvalidArgument, "'{}' ends where a version or an alias should be", reference);
  TRY(const auto versions, list(model));
  if (const auto* chosen = choose(versions, wanted)) return *chosen;
  TRY(const auto others, versions.empty() ? list() : list(model));
  return fail(ErrorCode::NotFound, "no model '{}'; there is: {}", reference, offered(others));
}

Result<package::ModelPackage> Registry::open(const ModelVersion& version) {
  TRY(auto package, package::open_package(folder_of(version.model, version.version)));
  if (package.digest != version.digest)
    return fail(ErrorCode::Corrupt,
                "{} version {} is another package than the one registered: digest {}, registered {}", version.model,
                version.version, package.digest, version.digest);
  return package;
}

Result<AliasChange> Registry::set_alias(const std::string& model, const std::string& alias, int version,
                                        const std::string& reason, std::optional<int> only_from) {
  TRY_VOID(check_model_name(model));
  TRY_VOID(check_alias(alias));
  AliasChange change{.model = model, .alias = alias, .version = version, .previous = std::nullopt};
  TRY_VOID(database_.transaction([&](store::Database& inside) -> Result<void> {
    TRY(const auto versions, list_in(inside, model));
    if (choose(versions, fmt::format("{}", version)) == nullptr)
      return fail(ErrorCode::NotFound, "no version {} of '{}'; there is: {}", version, model, offered(versions));
    if (const auto* current = with_alias(versions, alias)) change.previous = current->version;
    if (auto checked = check_from(change, only_from); !checked) return pass(checked);
    if (change.previous == version) return {};
    return move_alias(inside, model, alias, version, format_utc(system_clock().wall()), reason);
  }));
  return change;
}

Result<AliasChange> Registry::remove_alias(const std::string& model, const std::string& alias,
                                           const std::string& reason, std::optional<int> only_from) {
  TRY_VOID(check_model_name(model));
  TRY_VOID(check_alias(alias));
  if (alias == kChampion || alias == kLatest)
    return fail(ErrorCode::InvalidArgument, "models are found by their {}: it can be moved, not taken away", alias);
  AliasChange change{.model = model, .alias = alias, .version = 0, .previous = std::nullopt};
  TRY_VOID(database_.transaction([&](store::Database& inside) -> Result<void> {
    TRY(const auto versions, list_in(inside, model));
    const auto* current = with_alias(versions, alias);
    if (current == nullptr)
      return fail(ErrorCode::NotFound, "'{}' has no alias '{}'; there is: {}", model, alias, offered(versions));
    change.previous = current->version;
    if (auto checked = check_from(change, only_from); !checked) return pass(checked);
    TRY(const auto removed, inside.execute("DELETE FROM aliases WHERE model = :a AND alias = :b", {model, alias}));
    EXPECTS(removed == 1, "inside the transaction nobody else changes it");
    return note_move(inside, model, alias, 0, format_utc(system_clock().wall()), reason);
  }));
  return change;
}

Result<AliasChange> Registry::roll_back(const std::string& model, const std::string& alias, const std::string& reason) {
  TRY_VOID(check_model_name(model));
  TRY_VOID(check_alias(alias));
  AliasChange change{.model = model, .alias = alias, .version = 0, .previous = std::nullopt};
  TRY_VOID(database_.transaction([&](store::Database& inside) -> Result<void> {
    TRY(const auto versions, list_in(inside, model));
    if (versions.empty()) return fail(ErrorCode::NotFound, "no model '{}'", model);
    if (with_alias(versions, alias) == nullptr)
      return fail(ErrorCode::NotFound, "'{}' has no alias '{}'; there is: {}", model, alias, offered(versions));
    TRY(const auto moves, history_in(inside, model, alias));
    const auto trail = trail_of(moves);
    if (trail.size() < 2)
      return fail(ErrorCode::InvalidArgument, "{}@{} has only ever led to version {}: there is nothing to go back to",
                  model, alias, trail.empty() ? with_alias(versions, alias)->version : trail.back());
    change.version = trail[trail.size() - 2];
    change.previous = trail.back();
    return move_alias(inside, model, alias, change.version, format_utc(system_clock().wall()),
                      rollback_reason(trail.back()) + (reason.empty() ? "" : ": " + reason));
  }));
  return change;
}

Result<ModelVersion> Registry::set_abstention(const ModelVersion& version, const model::AbstentionPolicy& policy,
                                              const std::string& reason) {
  TRY(const auto package, open(version));
  TRY_VOID(model::check_abstention(policy, package.spec.classes()));
  TRY_VOID(database_.transaction([&](store::Database& inside) -> Result<void> {
    TRY(const auto before, inside.query("SELECT number FROM abstention_policies WHERE model = :a AND version = :b",
                                        {version.model, std::int64_t{version.version}}));
    return inside
        .execute(
            "INSERT INTO abstention_policies (model, version, number, policy, time, reason) "
            "VALUES (:a, :b, :c, :d, :e, :f)",
            {version.model, std::int64_t{version.version}, static_cast<std::int64_t>(before.size()) + 1,
             json::dump(model::to_json(policy)), format_utc(system_clock().wall()), reason})
        .map([](std::int64_t) {});
  }));
  return resolve(fmt::format("{}:{}", version.model, version.version));
}

Result<std::vector<AbstentionChange>> Registry::abstention_history(const std::string& model, int version) {
  TRY(const auto rows, database_.query("SELECT model, version, policy, time, reason FROM abstention_policies "
                                       "WHERE model = :a AND version = :b ORDER BY number DESC",
                                       {model, std::int64_t{version}}));
  std::vector<AbstentionChange> changes;
  for (const auto& row : rows) {
    TRY(auto policy, policy_of(row));
    changes.push_back({std::move(policy), row.text("time"), row.text("reason")});
  }
  return changes;
}

Result<std::vector<AliasMove>> Registry::alias_history(const std::string& model, const std::string& alias) {
  return history_in(database_, model, alias);
}

}  // namespace imago::registry
