// SPDX-License-Identifier: Apache-2.0
// The state of the current job as server-sent events.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "http/server.hpp"
#include "jobs/queue.hpp"

namespace imago::serve {

/// Sends each stream the event "status" (the JSON of GET /training-status) at once and whenever it has changed, four
/// times a second at most, and a comment every ten seconds, by which a client that has gone is noticed. It looks into
/// the queue, so that jobs done by other processes show too, and only while there is a stream. Safe from any thread.
class StatusFeed {
 public:
  explicit StatusFeed(jobs::JobQueue& queue);
  ~StatusFeed();
  StatusFeed(const StatusFeed&) = delete;
  StatusFeed& operator=(const StatusFeed&) = delete;

  void add(http::Stream stream);

 private:
  struct Reader {
    http::Stream stream;
    bool fresh = true;  ///< has been sent nothing yet
  };

  void feed();
  void tell(const std::string& event, bool only_fresh);

  jobs::JobQueue& queue_;
  std::mutex mutex_;  // guards what follows, apart from the thread
  std::condition_variable changed_;
  std::vector<Reader> readers_;
  std::string last_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace imago::serve
