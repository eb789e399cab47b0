// SPDX-License-Identifier: Apache-2.0
// Files from the network, by libcurl.
#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>

#include "base/files.hpp"
#include "data/fetch.hpp"

namespace imago::data {
namespace {

struct CurlCleanup {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
using Curl = std::unique_ptr<CURL, CurlCleanup>;

/// What libcurl's callbacks need.
struct Transfer {
  int fd = -1;
  int write_error = 0;
  std::uint64_t before = 0;  // bytes of the .part when the transfer began
  const OnDownload* on_progress = nullptr;
  const std::atomic<bool>* stop = nullptr;
};

std::size_t on_data(char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  for (std::size_t done = 0; done < size;) {
    const ssize_t written = ::write(transfer.fd, data + done, size - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      transfer.write_error = errno;
      return CURL_WRITEFUNC_ERROR;
    }
    done += static_cast<std::size_t>(written);
  }
  return size;
}

int on_progress(void* user, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t) {
  const auto& transfer = *static_cast<Transfer*>(user);
  if (*transfer.on_progress && done > 0)
    (*transfer.on_progress)(transfer.before + static_cast<std::uint64_t>(done),
                            total > 0 ? transfer.before + static_cast<std::uint64_t>(total) : 0);
  return transfer.stop != nullptr && transfer.stop->load() ? 1 : 0;
}

enum class Outcome { Complete, StartOver };

std::uint64_t size_of(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : size;
}

void configure(CURL* curl, const Download& what, Transfer& transfer) {
  curl_easy_setopt(curl, CURLOPT_URL, what.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(what.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(what.stall_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &on_data);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  if (transfer.before > 0) curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(transfer.before));
}

Result<Outcome> judge(CURL* curl, CURLcode code, const Download& what, const Transfer& transfer, const fs::path& part) {
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_OK) return Outcome::Complete;
  if (code == CURLE_ABORTED_BY_CALLBACK)
    return fail(ErrorCode::Cancelled, "download of {} stopped: it goes on from there next time", what.url);
  if (transfer.write_error == ENOSPC || transfer.write_error == EDQUOT)
    return fail(ErrorCode::ResourceExhausted, "writing {}: the disk is full; free some space and try again",
                part.string());
  if (transfer.write_error != 0)
    return fail(ErrorCode::Internal, "writing {}: {}", part.string(), std::strerror(transfer.write_error));
  // The server cannot continue, or has nothing after what we have: the checksum will tell, or all is fetched anew.
  if (transfer.before > 0 && code == CURLE_RANGE_ERROR) return Outcome::StartOver;
  if (transfer.before > 0 && status == 416) return Outcome::Complete;
  if (code == CURLE_HTTP_RETURNED_ERROR)
    return fail(ErrorCode::Unavailable, "downloading {}: the server answered {}", what.url, status);
  return fail(ErrorCode::Unavailable, "downloading {}: {}", what.url, curl_easy_strerror(code));
}

/// One attempt, continuing `part`.
Result<Outcome> fetch(const Download& what, const fs::path& part, const OnDownload& progress,
                      const std::atomic<bool>* stop) {
  const UniqueFd fd(::open(part.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!fd) return fail(ErrorCode::InvalidArgument, "writing {}: {}", part.string(), std::strerror(errno));
  const Curl curl(curl_easy_init());
  if (!curl) return fail(ErrorCode::ResourceExhausted, "no memory for a download");
  Transfer transfer{fd.get(), 0, size_of(part), &progress, stop};
  configure(curl.get(), what, transfer);
  const CURLcode code = curl_easy_perform(curl.get());
  TRY(const auto outcome, judge(curl.get(), code, what, transfer, part));
  if (outcome == Outcome::Complete && ::fdatasync(fd.get()) != 0)
    return fail(ErrorCode::Internal, "syncing {}: {}", part.string(), std::strerror(errno));
  return outcome;
}

}  // namespace

Result<void> download(const Download& what, const fs::path& target, const OnDownload& progress,
                      const std::atomic<bool>* stop) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  std::error_code error;
  if (fs::exists(target, error)) return {};
  TRY_VOID(make_directories(target.parent_path()));
  auto lock = FileLock::try_lock(target.string() + ".lock");
  if (!lock) return fail(ErrorCode::Unavailable, "{} is being downloaded by another process", target.string());
  const fs::path part = target.string() + ".part";
  TRY(auto outcome, fetch(what, part, progress, stop));
  if (outcome == Outcome::StartOver) {
    fs::remove(part, error);
    TRY(outcome, fetch(what, part, progress, stop));
  }
  TRY(const auto digest, sha256_file(part));
  if (digest != what.sha256) {
    fs::remove(part, error);
    return fail(ErrorCode::Corrupt, "{} has sha256 {}, but {} was expected: thrown away, try again", what.url, digest,
                what.sha256);
  }
  if (::rename(part.c_str(), target.c_str()) != 0)
    return fail(ErrorCode::Internal, "renaming {}: {}", part.string(), std::strerror(errno));
  fs::remove(target.string() + ".lock", error);
  return {};
}

}  // namespace imago::data
