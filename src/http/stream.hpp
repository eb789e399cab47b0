// SPDX-License-Identifier: Apache-2.0
// What lies between a Stream and its connection: bytes that wait to be written, and who wakes whom.
#pragma once

#include <microhttpd.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "http/server.hpp"

namespace imago::http {

/// The sender appends; the event loop takes, and suspends the connection while there is nothing to take, so that no
/// loop spins. Safe from any thread.
struct Stream::Channel {
  /// For the sender. False when the stream is over.
  bool append(std::string_view bytes);
  /// What waits is still written, then the stream ends.
  void finish();
  /// The stream ends now; what waits is dropped.
  void abandon();
  /// The connection takes from now on; null: it has gone.
  void attach(MHD_Connection* connection);

  /// libmicrohttpd's content reader.
  ssize_t take(char* buffer, std::size_t room);

 private:
  void wake();

  std::mutex mutex_;  // guards what follows
  std::string waiting_;
  std::size_t taken_ = 0;  // of waiting_
  MHD_Connection* connection_ = nullptr;
  bool suspended_ = false;
  bool finished_ = false;  // by the sender
  bool over_ = false;      // whatever the sender wants
};

/// A response that is read from the channel; null when memory ran out.
MHD_Response* response_from(std::shared_ptr<Stream::Channel> channel);

}  // namespace imago::http
