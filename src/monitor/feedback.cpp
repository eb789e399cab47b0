// SPDX-License-Identifier: Apache-2.0
#include "monitor/feedback.hpp"

#include "base/rng.hpp"

namespace imago::monitor {
namespace {

using store::text_or_null;
using store::Value;

constexpr const char* kColumns =
    "id, created, request, item, model, version, predicted, confidence, label, sha256, upload, note";

/// Takes the values of a filter: model, version or 0, 1 for right, 0 for wrong, -1 for either.
constexpr const char* kMatches =
    "(:a = '' OR model = :a) AND (:b = 0 OR version = :b) "
    "AND (:c < 0 OR (CASE WHEN predicted = label THEN 1 ELSE 0 END) = :c)";

std::vector<Value> values_of(const FeedbackFilter& filter) {
  return {filter.model, std::int64_t{filter.version.value_or(0)},
          std::int64_t{filter.correct ? int{*filter.correct} : -1}};
}

Feedback feedback_from(const store::Row& row) {
  return {.id = row.text("id"),
          .created = row.text("created"),
          .request = row.text("request"),
          .item = static_cast<int>(row.integer("item")),
          .model = row.text("model"),
          .version = static_cast<int>(row.integer("version")),
          .predicted = row.text("predicted"),
          .confidence = row.is_null("confidence") ? std::nullopt : std::optional(row.real("confidence")),
          .label = row.text("label"),
          .sha256 = row.text("sha256"),
          .upload = row.text("upload"),
          .note = row.text("note")};
}

/// The row that speaks about the same image already.
Result<std::string> known_id(store::Database& inside, const Feedback& feedback) {
  if (feedback.request.empty()) return std::string();
  TRY(const auto rows, inside.query("SELECT id FROM feedback WHERE request = :a AND item = :b",
                                    {feedback.request, std::int64_t{feedback.item}}));
  return rows.empty() ? std::string() : rows.front().text("id");
}

}  // namespace

Result<Feedback> FeedbackLog::add(Feedback feedback) {
  feedback.created = format_utc(clock_.wall());
  auto added = database_.transaction([&](store::Database& inside) -> Result<void> {
    TRY(feedback.id, known_id(inside, feedback));
    if (!feedback.id.empty()) TRY_VOID(inside.execute("DELETE FROM feedback WHERE id = :a", {feedback.id}));
    if (feedback.id.empty()) feedback.id = "f" + random_hex(8);
    return inside
        .execute(
            fmt::format("INSERT INTO feedback ({}) VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i, :j, :k, :l)", kColumns),
            {feedback.id, feedback.created, text_or_null(feedback.request), std::int64_t{feedback.item}, feedback.model,
             std::int64_t{feedback.version}, feedback.predicted,
             feedback.confidence ? Value(*feedback.confidence) : Value(), feedback.label, text_or_null(feedback.sha256),
             text_or_null(feedback.upload), text_or_null(feedback.note)})
        .map([](std::int64_t) {});
  });
  if (!added) return pass(added);
  return feedback;
}

Result<std::vector<Feedback>> FeedbackLog::list(const FeedbackFilter& filter, int limit, int offset) {
  auto values = values_of(filter);
  values.insert(values.end(), {std::int64_t{limit}, std::int64_t{offset}});
  TRY(const auto rows,
      database_.query(fmt::format("SELECT {} FROM feedback WHERE {} ORDER BY created DESC, id LIMIT :d OFFSET :e",
                                  kColumns, kMatches),
                      values));
  std::vector<Feedback> found;
  for (const auto& row : rows) found.push_back(feedback_from(row));
  return found;
}

Result<std::vector<LiveAccuracy>> FeedbackLog::accuracy(const FeedbackFilter& filter) {
  TRY(const auto rows,
      database_.query(fmt::format("SELECT model, version, COUNT(*) AS said, "
                                  "SUM(CASE WHEN predicted = label THEN 1 ELSE 0 END) AS correct FROM feedback "
                                  "WHERE {} GROUP BY model, version ORDER BY model, version",
                                  kMatches),
                      values_of(filter)));
  std::vector<LiveAccuracy> found;
  for (const auto& row : rows)
    found.push_back(
        {row.text("model"), static_cast<int>(row.integer("version")), row.integer("said"), row.integer("correct")});
  return found;
}

Result<std::int64_t> FeedbackLog::count(const FeedbackFilter& filter) {
  TRY(const auto rows,
      database_.query(fmt::format("SELECT COUNT(*) AS said FROM feedback WHERE {}", kMatches), values_of(filter)));
  return rows.front().integer("said");
}

Result<void> FeedbackLog::remove(const std::string& id) {
  TRY(const auto removed, database_.execute("DELETE FROM feedback WHERE id = :a", {id}));
  if (removed == 0) return fail(ErrorCode::NotFound, "no feedback '{}'", id);
  return {};
}

}  // namespace imago::monitor
