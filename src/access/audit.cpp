// SPDX-License-Identifier: Apache-2.0
#include "access/audit.hpp"

#include <algorithm>
#include <initializer_list>

#include "base/clock.hpp"

namespace imago::access {
namespace {

constexpr std::size_t kLongestText = 200;
constexpr const char* kAuditColumns = "number, time, who, address, via, action, target, outcome, status, request_id";

/// At most so many bytes, ending on a whole character.
std::string cut(std::string text) {
  if (text.size() <= kLongestText) return text;
  std::size_t end = kLongestText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text;
}

AuditEntry read_entry(const store::Row& row) {
  return {.number = row.integer("number"),
          .time = row.text("time"),
          .who = row.text("who"),
          .address = row.text("address"),
          .via = row.text("via"),
          .action = row.text("action"),
          .target = row.text("target"),
          .outcome = row.text("outcome"),
          .status = row.text("status"),
          .request_id = row.text("request_id")};
}

/// The beginning of times of ours that `text` stands for: "2026", "2026-11-21", "2026-11-21T04:16:00" with or without
/// Z.
Result<std::string> time_in(std::string_view name, std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00.000";
  constexpr std::size_t kWholeParts[] = {0, 4, 7, 10, 13, 16, 19, 23};
  constexpr std::size_t kHour = 13;  // characters up to it
  auto digits = text;
  if (digits.size() > kHour && digits.ends_with('Z')) digits.remove_suffix(1);
  bool fits = std::ranges::find(kWholeParts, digits.size()) != std::end(kWholeParts);
  for (std::size_t i = 0; fits && i < digits.size(); ++i)
    fits = kShape[i] == '0' ? digits[i] >= '0' && digits[i] <= '9' : digits[i] == kShape[i];
  if (fits) return std::string(digits);
  return fail(ErrorCode::InvalidArgument, "{} '{}' is no time: give one as 2026-11-21 or 2026-11-21T04:16:00Z", name,
              text.substr(0, kLongestText));
}

Result<void> check_word(std::string_view name, std::string_view text, std::initializer_list<std::string_view> known) {
  if (text.empty() || std::ranges::find(known, text) != known.end()) return {};
  return fail(ErrorCode::InvalidArgument, "{} '{}' is not one of {}", name, text.substr(0, kLongestText),
              fmt::join(known, ", "));
}

/// `text` as a part of something, for LIKE with the escape '!'.
std::string part(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '!') pattern += '!';
    pattern += c;
  }
  return pattern + "%";
}

/// The conditions of a query, and their values in order.
struct Conditions {
  std::string text = "1 = 1";
  std::vector<store::Value> values;

  void add(std::string_view before, store::Value value, std::string_view after = "") {
    fmt::format_to(std::back_inserter(text), " AND {} :{}{}", before, static_cast<char>('a' + values.size()), after);
    values.push_back(std::move(value));
  }
  void part_of(std::string_view column, const std::string& wanted) {
    if (!wanted.empty()) add(fmt::format("{} LIKE", column), part(wanted), " ESCAPE '!'");
  }
  void whole(std::string_view column, const std::string& wanted) {
    if (!wanted.empty()) add(fmt::format("{} =", column), wanted);
  }
};

Result<void> insert(store::Database& database, AuditEntry entry) {
  // Numbers without a gap are worth the writers' turn: whoever removes a row by hand leaves one.
  return database.transaction([&](store::Database& turn) -> Result<void> {
    if (entry.time.empty()) entry.time = format_utc(system_clock().wall());
    TRY_VOID(turn.execute(fmt::format("INSERT INTO audit ({}) SELECT COALESCE(MAX(number), 0) + 1, "
                                      ":a, :b, :c, :d, :e, :f, :g, :h, :i FROM audit",
                                      kAuditColumns),
                          {entry.time, cut(entry.who), cut(entry.address), cut(entry.via), cut(entry.action),
                           cut(entry.target), cut(entry.outcome), cut(entry.status), cut(entry.request_id)}));
    return {};
  });
}

}  // namespace

Result<void> append_audit(store::Database& database, AuditEntry entry) { return insert(database, std::move(entry)); }

Result<std::vector<AuditEntry>> read_audit(store::Database& database, const AuditFilter& filter) {
  TRY_VOID(check_word("via", filter.via, {"http", "grpc", "cli", "server"}));
  TRY_VOID(check_word("outcome", filter.outcome, {"ok", "refused", "failed"}));
  TRY(const auto since, time_in("since", filter.since));
  TRY(const auto until, time_in("until", filter.until));
  Conditions conditions;
  conditions.part_of("who", filter.who);
  conditions.part_of("action", filter.action);
  conditions.part_of("target", filter.target);
  conditions.whole("via", filter.via);
  conditions.whole("outcome", filter.outcome);
  conditions.whole("request_id", filter.request_id);
  if (!since.empty()) conditions.add("time >=", since);
  if (!until.empty()) conditions.add("time <", until);
  if (filter.below > 0) conditions.add("number <", filter.below);
  TRY(const auto rows, database.query(fmt::format("SELECT {} FROM audit WHERE {} ORDER BY number DESC LIMIT {}",
                                                  kAuditColumns, conditions.text, std::max(filter.limit, 0)),
                                      conditions.values));
  std::vector<AuditEntry> entries;
  entries.reserve(rows.size());
  for (const auto& row : rows) entries.push_back(read_entry(row));
  return entries;
}

Result<std::int64_t> forget_audit(store::Database& database, const std::string& time, const AuditEntry& who) {
  TRY(const auto before, time_in("before", time));
  if (before.empty()) return fail(ErrorCode::InvalidArgument, "before which time?");
  std::int64_t removed = 0;
  TRY_VOID(database.transaction([&](store::Database& turn) -> Result<void> {
    TRY(removed,
        turn.execute("DELETE FROM audit WHERE time < :a AND number < (SELECT MAX(number) FROM audit)", {before}));
    if (removed == 0) return {};
    AuditEntry note = who;
    note.action = "audit forget";
    note.target = fmt::format("{} entries before {}", removed, time);
    note.outcome = "ok";
    return insert(turn, std::move(note));
  }));
  return removed;
}

json::Value to_json(const AuditEntry& entry) {
  const auto text_or_null = [](const std::string& text) { return text.empty() ? json::Value() : json::Value(text); };
  return {{"number", entry.number},
          {"time", entry.time},
          {"who", entry.who},
          {"address", text_or_null(entry.address)},
          {"via", entry.via},
          {"action", entry.action},
          {"target", text_or_null(entry.target)},
          {"outcome", entry.outcome},
          {"status", text_or_null(entry.status)},
          {"request_id", text_or_null(entry.request_id)}};
}

}  // namespace imago::access
