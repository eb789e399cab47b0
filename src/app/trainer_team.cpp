// SPDX-License-Identifier: Apache-2.0
#include "app/trainer_team.hpp"

#include <algorithm>
#include <thread>

#include "http/client.hpp"

namespace imago::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds kBetweenLooks{20};
constexpr milliseconds kRequestTimeout{5000};
constexpr int kFailuresInARow = 3;             // of the table, once it has answered
constexpr milliseconds kForWordsToCome{1000};  // from one who ends for a reason of its own
constexpr const char* kJob = "imago/job";
constexpr const char* kFailure = "imago/failure";

std::string ready_key(int rank) { return fmt::format("imago/ready/{}", rank); }

}  // namespace

/// The table that the first one's `imago` holds.
class TrainingTeam::Table final : public nn::Rendezvous {
 public:
  Table(const std::string& address, int port, seconds patience, const std::atomic<bool>& stop)
      : url_(fmt::format("http://{}:{}/v1/", address.find(':') == std::string::npos ? address : "[" + address + "]",
                         port)),
        patience_(patience),
        stop_(stop) {}

  Result<void> put(const std::string& key, const std::string& value) override {
    TRY(const auto answer,
        http::fetch({.method = "PUT", .url = url_ + key, .body = value, .timeout = kRequestTimeout}));
    if (answer.status == 204) return {};
    return fail(ErrorCode::Unavailable, "the meeting point {} answered {} to what it was to keep", url_, answer.status);
  }

  Result<std::optional<std::string>> find(const std::string& key) override {
    TRY(auto answer, http::fetch({.url = url_ + key, .timeout = kRequestTimeout}));
    if (answer.status == 200) return std::optional(std::move(answer.body));
    if (answer.status == 404) return std::optional<std::string>();
    return fail(ErrorCode::Unavailable, "the meeting point {} answered {}: is it another program's port?", url_,
                answer.status);
  }

  Result<std::string> get(const std::string& key) override {
    const auto deadline = steady_clock::now() + patience_;
    while (!stop_) {
      TRY(const auto value, look(key));
      if (value) return *value;
      TRY(const auto failure, look(kFailure));
      if (failure) return fail(ErrorCode::Unavailable, "{}", *failure);
      if (steady_clock::now() >= deadline) return tl::unexpected<Error>(late(key));
      std::this_thread::sleep_for(kBetweenLooks);
    }
    return fail(ErrorCode::Cancelled, "stopped while waiting for the other workers");
  }

  /// What somebody said before it ended, if it does so soon.
  std::optional<std::string> last_words() {
    const auto deadline = steady_clock::now() + kForWordsToCome;
    do {
      const auto said = find(kFailure);
      if (said && *said) return *said;
      std::this_thread::sleep_for(kBetweenLooks);
    } while (steady_clock::now() < deadline);
    return std::nullopt;
  }

 private:
  /// As find; but the table may not be there yet, and once it was, one unanswered request is not the end.
  Result<std::optional<std::string>> look(const std::string& key) {
    auto value = find(key);
    if (value) met_ = true;
    failures_ = value ? 0 : failures_ + 1;
    if (value || !met_ || failures_ < kFailuresInARow) return value ? value : std::optional<std::string>();
    return fail(ErrorCode::Unavailable, "the first worker has gone ({})", value.error().message);
  }

  [[nodiscard]] Error late(const std::string& key) const {
    const auto waited = patience_.count();
    if (!met_)
      return {ErrorCode::Timeout,
              fmt::format("nobody answered at {} in {} s: is the first worker there?", url_, waited)};
    return {ErrorCode::Timeout, fmt::format("waited {} s for {} (--start-timeout)", waited, key)};
  }

  const std::string url_;
  const seconds patience_;
  const std::atomic<bool>& stop_;
  bool met_ = false;
  int failures_ = 0;  // in a row
};

Result<TrainingTeam> TrainingTeam::of(const json::Value& job, const std::atomic<bool>& stop) {
  TrainingTeam team;
  if (!job.contains("team") || job["team"].is_null()) return team;
  TRY(const auto place, json::get<json::Value>(job, "team"));
  nn::TeamSettings& settings = team.settings_;
  TRY(settings.rank, json::get<int>(place, "rank"));
  TRY(settings.size, json::get<int>(place, "size"));
  TRY(settings.local_rank, json::get<int>(place, "local_rank"));
  TRY(settings.meeting_host, json::get<std::string>(place, "address"));
  TRY(const int port, json::get<int>(place, "port"));
  TRY(const int timeout, json::get<int>(place, "timeout_seconds"));
  TRY(const int patience, json::get<int>(place, "start_seconds"));
  settings.timeout = seconds(timeout);
  if (settings.size < 1 || settings.rank < 0 || settings.rank >= settings.size)
    return fail(ErrorCode::InvalidArgument, "worker {} of {}", settings.rank, settings.size);
  team.table_ = std::make_shared<Table>(settings.meeting_host, port, seconds(patience), stop);
  return team;
}

Result<json::Value> TrainingTeam::take_job(const json::Value& told) {
  if (leads()) return told;
  TRY(const auto text, table_->get(kJob));
  TRY(auto job, json::parse(text));
  for (const char* own : {"datasets", "threads", "team"}) job[own] = told[own];
  return job;
}

Result<void> TrainingTeam::give_job(const json::Value& told) {
  if (!table_ || !leads()) return {};
  return table_->put(kJob, json::dump(told));
}

Result<nn::Communicator*> TrainingTeam::connect() {
  if (!table_) return nullptr;
  TRY_VOID(table_->put(ready_key(settings_.rank), "ready"));
  for (int rank = 0; rank < settings_.size; ++rank) {
    auto ready = table_->get(ready_key(rank));
    if (!ready && ready.error().code == ErrorCode::Timeout)
      return pass(ready, fmt::format("worker {} of {} did not come", rank, settings_.size));
    if (!ready) return pass(ready);
  }
  TRY(communicator_, nn::connect(settings_, *table_));
  return communicator_.get();
}

Error TrainingTeam::part_with(const Error& error) {
  if (!table_) return error;
  if (error.code == ErrorCode::Unavailable && communicator_) {
    if (const auto reason = table_->last_words()) return {error.code, *reason};
  }
  const auto text = fmt::format("worker {} of {}: {}", settings_.rank, settings_.size, error.message);
  static_cast<void>(table_->put(kFailure, text));
  return {error.code, text};
}

}  // namespace imago::app
