// SPDX-License-Identifier: Apache-2.0
#include "access/api_keys.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"

namespace imago::access {
namespace {

constexpr std::chrono::seconds kRefresh{2};
constexpr std::size_t kLongestName = 100;
constexpr const char* kKeyColumns = "id, name, sha256, scopes, created, revoked, per_minute";

ApiKey read_key(const store::Row& row) {
  // What the database has was checked when it was written; a scope of a newer program allows nothing here.
  return {.id = row.text("id"),
          .name = row.text("name"),
          .scopes = parse_scopes(row.text("scopes")).value_or(std::vector<Scope>{}),
          .created = row.text("created"),
          .revoked = row.text("revoked"),
          .per_minute =
              row.is_null("per_minute") ? std::nullopt : std::optional(static_cast<int>(row.integer("per_minute")))};
}

store::Value rate_or_null(std::optional<int> per_minute) {
  return per_minute ? store::Value(std::int64_t{*per_minute}) : store::Value();
}

Result<ApiKey> find_key(store::Database& database, const std::string& id) {
  TRY(const auto rows, database.query(fmt::format("SELECT {} FROM api_keys WHERE id = :a", kKeyColumns), {id}));
  if (rows.empty()) return fail(ErrorCode::NotFound, "no key '{}': `imago keys list` shows those there are", id);
  return read_key(rows.front());
}

}  // namespace

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::Open: return "open";
    case Scope::Predict: return "predict";
    case Scope::Write: return "write";
    case Scope::Admin: return "admin";
  }
  return "admin";
}

bool ApiKey::allows(Scope scope) const {
  return scope == Scope::Open ||
         std::ranges::any_of(scopes, [&](Scope own) { return own == scope || own == Scope::Admin; });
}

Result<std::vector<Scope>> parse_scopes(std::string_view text) {
  std::vector<Scope> scopes;
  for (std::size_t at = 0; at <= text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    const auto word = text.substr(at, comma - at);
    at = comma + 1;
    const Scope* known = nullptr;
    static constexpr Scope kAll[] = {Scope::Predict, Scope::Write, Scope::Admin};
    for (const Scope& scope : kAll) known = to_string(scope) == word ? &scope : known;
    if (known == nullptr)
      return fail(ErrorCode::InvalidArgument, "scope '{}' is not one of predict, write, admin", word);
    if (std::ranges::find(scopes, *known) == scopes.end()) scopes.push_back(*known);
  }
  return scopes;
}

std::string join_scopes(const std::vector<Scope>& scopes) {
  std::string text;
  for (const Scope scope : scopes) text.append(text.empty() ? "" : ",").append(to_string(scope));
  return text;
}

Result<NewKey> create_key(store::Database& database, const std::string& name, const std::vector<Scope>& scopes,
                          std::optional<int> per_minute) {
  EXPECTS(!scopes.empty(), "a key is good for something");
  const bool printable = std::ranges::none_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (name.empty() || name.size() > kLongestName || !printable)
    return fail(ErrorCode::InvalidArgument, "a key's name has 1 to {} bytes and no control characters", kLongestName);
  NewKey made{.key = {.id = random_hex(4),
                      .name = name,
                      .scopes = scopes,
                      .created = format_utc(system_clock().wall()),
                      .revoked = "",
                      .per_minute = per_minute},
              .secret = "imago_" + random_hex(24)};
  TRY_VOID(database.execute(
      "INSERT INTO api_keys (id, name, sha256, scopes, created, per_minute) VALUES (:a, :b, :c, :d, :e, :f)",
      {made.key.id, made.key.name, sha256(std::string_view(made.secret)), join_scopes(scopes), made.key.created,
       rate_or_null(per_minute)}));
  return made;
}

Result<std::vector<ApiKey>> list_keys(store::Database& database) {
  TRY(const auto rows, database.query(fmt::format("SELECT {} FROM api_keys ORDER BY created, id", kKeyColumns), {}));
  std::vector<ApiKey> keys;
  for (const auto& row : rows) keys.push_back(read_key(row));
  return keys;
}

Result<ApiKey> revoke_key(store::Database& database, const std::string& id) {
  TRY_VOID(database.execute("UPDATE api_keys SET revoked = :b WHERE id = :a AND revoked IS NULL",
                            {id, format_utc(system_clock().wall())}));
  return find_key(database, id);
}

Result<ApiKey> limit_key(store::Database& database, const std::string& id, std::optional<int> per_minute) {
  TRY_VOID(database.execute("UPDATE api_keys SET per_minute = :b WHERE id = :a AND revoked IS NULL",
                            {id, rate_or_null(per_minute)}));
  return find_key(database, id);
}

Result<std::unique_ptr<KeyRing>> KeyRing::open(store::Database& database) {
  std::unique_ptr<KeyRing> ring(new KeyRing(database));
  TRY_VOID(ring->refresh());
  ring->thread_ = std::thread([&self = *ring] { self.keep_fresh(); });
  return ring;
}

KeyRing::~KeyRing() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
  }
  closed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void KeyRing::keep_fresh() {
  bool failing = false;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (closed_.wait_for(lock, kRefresh, [&] { return closing_; })) return;
    }
    const auto done = refresh();
    if (!done && !failing) log::warning("API keys stay as they were: {}", done.error().message);
    failing = !done.has_value();
  }
}

Result<void> KeyRing::refresh() {
  TRY(const auto rows, database_.query(fmt::format("SELECT {} FROM api_keys WHERE revoked IS NULL", kKeyColumns), {}));
  decltype(by_hash_) fresh;
  for (const auto& row : rows) fresh.emplace(row.text("sha256"), std::make_shared<const ApiKey>(read_key(row)));
  const std::scoped_lock lock(mutex_);
  in_use_ = in_use_ || !fresh.empty();
  by_hash_.swap(fresh);
  return {};
}

std::shared_ptr<const ApiKey> KeyRing::find(std::string_view secret) const {
  const std::string hash = sha256(secret);
  const std::scoped_lock lock(mutex_);
  const auto found = by_hash_.find(hash);
  return found == by_hash_.end() ? nullptr : found->second;
}

bool KeyRing::in_use() const {
  const std::scoped_lock lock(mutex_);
  return in_use_;
}

}  // namespace imago::access
