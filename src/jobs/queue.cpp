// SPDX-License-Identifier: Apache-2.0
#include "jobs/queue.hpp"

#include "base/rng.hpp"

namespace imago::jobs {
namespace {

constexpr const char* kSelect =
    "SELECT id, kind, state, payload, progress, result, error, cancel_requested, attempts, created, started, ended, "
    "lease_until FROM jobs ";

Result<json::Value> json_column(const store::Row& row, const char* column) {
  return json::parse(row.is_null(column) ? "null" : row.text(column));
}

Result<Job> job_from(const store::Row& row) {
  Job job;
  job.id = row.text("id");
  job.kind = row.text("kind");
  auto state = job_state_from(row.text("state"));
  if (!state) return fail(ErrorCode::Corrupt, "{}: {}", job.id, state.error().message);
  job.state = *state;
  TRY(job.payload, json_column(row, "payload"));
  TRY(job.progress, json_column(row, "progress"));
  TRY(job.result, json_column(row, "result"));
  job.error = row.text("error");
  job.cancel_requested = row.integer("cancel_requested") != 0;
  job.attempts = static_cast<int>(row.integer("attempts"));
  job.created = row.text("created");
  job.started = row.text("started");
  job.ended = row.text("ended");
  return job;
}

Result<Job> find_in(store::Database& database, const std::string& id) {
  TRY(const auto rows, database.query(fmt::format("{} WHERE id = :a", kSelect), {id}));
  if (rows.empty()) return fail(ErrorCode::NotFound, "no job '{}'", id);
  return job_from(rows.front());
}

/// "job-20261121-041600-3fa9c1": sorts by time, and two in one second differ.
std::string new_id(const std::string& utc) {
  std::string digits;
  for (const char c : utc.substr(0, 19)) {
    if (c == 'T') digits += '-';
    if (c >= '0' && c <= '9') digits += c;
  }
  return fmt::format("job-{}-{}", digits, random_hex(3));
}

Result<void> end_job(store::Database& inside, const std::string& id, JobState state, const std::string& time,
                     const std::string& error) {
  TRY_VOID(inside.execute(
      "UPDATE jobs SET state = :a, ended = :b, error = :c, lease_owner = NULL, lease_until = NULL WHERE id = :d",
      {std::string(to_string(state)), time, store::text_or_null(error), id}));
  return {};
}

Result<void> requeue(store::Database& inside, const std::string& id, bool counts) {
  TRY_VOID(
      inside.execute("UPDATE jobs SET state = 'queued', lease_owner = NULL, lease_until = NULL, attempts = attempts - "
                     ":a WHERE id = :b",
                     {std::int64_t{counts ? 0 : 1}, id}));
  return {};
}

/// A job that nobody does any more: cancelled if that was wanted, failed if it was tried often enough, else queued.
Result<JobState> put_back(store::Database& inside, const Job& job, const std::string& time, const std::string& why,
                          bool counts) {
  auto state = JobState::Queued;
  if (job.cancel_requested) state = JobState::Cancelled;
  if (state == JobState::Queued && counts && job.attempts >= kMaxAttempts) state = JobState::Failed;
  if (state == JobState::Queued) {
    TRY_VOID(requeue(inside, job.id, counts));
  } else {
    const std::string error =
        state == JobState::Failed ? fmt::format("given up after {} attempts: {}", job.attempts, why) : "";
    TRY_VOID(end_job(inside, job.id, state, time, error));
  }
  return state;
}

}  // namespace

std::string_view to_string(JobState state) noexcept {
  switch (state) {
    case JobState::Queued: return "queued";
    case JobState::Running: return "running";
    case JobState::Done: return "done";
    case JobState::Failed: return "failed";
    case JobState::Cancelled: return "cancelled";
  }
  return "failed";
}

Result<JobState> job_state_from(std::string_view text) {
  std::string known;
  for (const auto state :
       {JobState::Queued, JobState::Running, JobState::Done, JobState::Failed, JobState::Cancelled}) {
    if (text == to_string(state)) return state;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", to_string(state));
  }
  return fail(ErrorCode::InvalidArgument, "state '{}': expected one of {}", text, known);
}

Result<Job> JobQueue::submit(const std::string& kind, const json::Value& payload, const JobRequest& request) {
  const std::string created = now();
  const std::string id = new_id(created);
  TRY_VOID(database_.execute(
      "INSERT INTO jobs (id, kind, state, payload, created, request_key, request_digest) "
      "VALUES (:a, :b, 'queued', :c, :d, :e, :f)",
      {id, kind, json::dump(payload), created, store::text_or_null(request.key), store::text_or_null(request.digest)}));
  return find(id);
}

Result<std::optional<Job>> JobQueue::find(const JobRequest& request) {
  TRY(const auto rows, database_.query("SELECT id, request_digest FROM jobs WHERE request_key = :a", {request.key}));
  if (rows.empty()) return std::optional<Job>();
  if (rows.front().text("request_digest") != request.digest)
    return fail(ErrorCode::AlreadyExists, "the key '{}' was used for another request: {}", request.key,
                rows.front().text("id"));
  TRY(auto job, find(rows.front().text("id")));
  return std::optional(std::move(job));
}

/// Jobs whose lease has run out go back into the queue, or end.
Result<void> JobQueue::bury_dead(store::Database& inside) {
  TRY(const auto rows, inside.query(fmt::format("{} WHERE state = 'running' AND lease_until < :a", kSelect), {now()}));
  for (const auto& row : rows) {
    TRY(const auto job, job_from(row));
    TRY_VOID(put_back(inside, job, now(), "the process that did it died each time", true));
  }
  return {};
}

Result<std::optional<Job>> JobQueue::claim(const std::string& owner, std::chrono::seconds lease,
                                           const std::string& id) {
  std::optional<Job> claimed;
  auto done = database_.transaction([&](store::Database& inside) -> Result<void> {
    TRY_VOID(bury_dead(inside));
    TRY(const auto running, inside.query("SELECT id FROM jobs WHERE state = 'running'", {}));
    if (!running.empty()) return {};
    TRY(const auto rows, inside.query("SELECT id FROM jobs WHERE state = 'queued' AND (:a = '' OR id = :a) "
                                      "ORDER BY created, id LIMIT 1",
                                      {id}));
    if (rows.empty()) return {};
    const std::string chosen = rows.front().text("id");
    TRY_VOID(
        inside.execute("UPDATE jobs SET state = 'running', lease_owner = :a, lease_until = :b, "
                       "attempts = attempts + 1, started = COALESCE(started, :c) WHERE id = :d",
                       {owner, format_utc(clock_.wall() + lease), now(), chosen}));
    TRY(claimed, find_in(inside, chosen));
    return {};
  });
  if (!done) return pass(done, "claiming a job");
  return claimed;
}

Result<bool> JobQueue::heartbeat(const std::string& id, const std::string& owner, std::chrono::seconds lease,
                                 const json::Value& progress) {
  TRY(const auto changed,
      database_.execute("UPDATE jobs SET lease_until = :a, progress = COALESCE(:b, progress) "
                        "WHERE id = :c AND lease_owner = :d AND state = 'running'",
                        {format_utc(clock_.wall() + lease),
                         store::text_or_null(progress.is_null() ? std::string() : json::dump(progress)), id, owner}));
  if (changed == 0) return fail(ErrorCode::Unavailable, "{} is somebody else's now: its lease had run out", id);
  TRY(const auto rows, database_.query("SELECT cancel_requested FROM jobs WHERE id = :a", {id}));
  return !rows.empty() && rows.front().integer("cancel_requested") != 0;
}

Result<void> JobQueue::finish(const std::string& id, const std::string& owner, JobState state,
                              const json::Value& result, const std::string& error) {
  EXPECTS(state != JobState::Queued && state != JobState::Running, "a job ends done, failed or cancelled");
  TRY(const auto changed,
      database_.execute(
          "UPDATE jobs SET state = :a, result = :b, error = :c, ended = :d, lease_owner = NULL, "
          "lease_until = NULL WHERE id = :e AND lease_owner = :f AND state = 'running'",
          {std::string(to_string(state)), store::text_or_null(result.is_null() ? std::string() : json::dump(result)),
           store::text_or_null(error), now(), id, owner}));
  if (changed == 0) return fail(ErrorCode::Unavailable, "{} is somebody else's now: its lease had run out", id);
  return {};
}

Result<JobState> JobQueue::give_back(const std::string& id, const std::string& owner, const std::string& why,
                                     bool counts) {
  auto state = JobState::Queued;
  TRY_VOID(database_.transaction([&](store::Database& inside) -> Result<void> {
    TRY(const auto mine,
        inside.query("SELECT id FROM jobs WHERE id = :a AND lease_owner = :b AND state = 'running'", {id, owner}));
    if (mine.empty()) return fail(ErrorCode::Unavailable, "{} is somebody else's now: its lease had run out", id);
    TRY(const auto job, find_in(inside, id));
    TRY(state, put_back(inside, job, now(), why, counts));
    return {};
  }));
  return state;
}

Result<void> JobQueue::release(const std::string& id, const std::string& owner) {
  TRY_VOID(give_back(id, owner, "", false));
  return {};
}

Result<JobState> JobQueue::retry(const std::string& id, const std::string& owner, const std::string& why) {
  return give_back(id, owner, why, true);
}

Result<Job> JobQueue::cancel(const std::string& id) {
  auto done = database_.transaction([&](store::Database& inside) -> Result<void> {
    TRY(const auto job, find_in(inside, id));
    if (job.state == JobState::Queued) return end_job(inside, id, JobState::Cancelled, now(), "");
    if (job.state != JobState::Running)
      return fail(ErrorCode::InvalidArgument, "{} has ended already ({}): there is nothing to stop", id,
                  to_string(job.state));
    TRY_VOID(inside.execute("UPDATE jobs SET cancel_requested = 1 WHERE id = :a", {id}));
    return bury_dead(inside);  // nobody would hear of it if its doer has died
  });
  if (!done) return pass(done);
  return find(id);
}

Result<Job> JobQueue::find(const std::string& id) { return find_in(database_, id); }

Result<std::optional<Job>> JobQueue::current() {
  TRY(const auto rows,
      database_.query(fmt::format("{} ORDER BY CASE state WHEN 'running' THEN 0 WHEN 'queued' THEN 1 ELSE 2 END, "
                                  "COALESCE(ended, created) DESC, id DESC LIMIT 1",
                                  kSelect),
                      {}));
  if (rows.empty()) return std::nullopt;
  TRY(auto job, job_from(rows.front()));
  return job;
}

Result<std::vector<Job>> JobQueue::list(int limit, std::optional<JobState> state, int offset) {
  const std::string wanted(state ? to_string(*state) : "");
  TRY(const auto rows,
      database_.query(fmt::format("{} WHERE :a = '' OR state = :a ORDER BY created DESC, id DESC LIMIT {} OFFSET {}",
                                  kSelect, limit, offset),
                      {wanted}));
  std::vector<Job> jobs;
  for (const auto& row : rows) {
    TRY(auto job, job_from(row));
    jobs.push_back(std::move(job));
  }
  return jobs;
}

}  // namespace imago::jobs
