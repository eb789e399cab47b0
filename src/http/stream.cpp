// SPDX-License-Identifier: Apache-2.0
#include "http/stream.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace imago::http {
namespace {

// More than this waits only for a client that does not read.
constexpr std::size_t kMostWaitingBytes = 1u << 20;

// What is handed to the library at once.
constexpr std::size_t kBlockBytes = 4096;

using Channel = Stream::Channel;

ssize_t read_channel(void* holder, std::uint64_t, char* buffer, std::size_t room) {
  return (*static_cast<std::shared_ptr<Channel>*>(holder))->take(buffer, room);
}

void free_channel(void* holder) { delete static_cast<std::shared_ptr<Channel>*>(holder); }

}  // namespace

bool Channel::append(std::string_view bytes) {
  const std::scoped_lock lock(mutex_);
  if (over_ || finished_) return false;
  if (waiting_.size() - taken_ + bytes.size() > kMostWaitingBytes) {
    over_ = true;
    std::string().swap(waiting_);
    taken_ = 0;
    wake();
    return false;
  }
  waiting_.append(bytes);
  wake();
  return true;
}

void Channel::finish() {
  const std::scoped_lock lock(mutex_);
  finished_ = true;
  wake();
}

void Channel::abandon() {
  const std::scoped_lock lock(mutex_);
  finished_ = true;
  waiting_.clear();
  taken_ = 0;
  wake();
}

void Channel::attach(MHD_Connection* connection) {
  const std::scoped_lock lock(mutex_);
  connection_ = connection;
  if (connection == nullptr) {
    over_ = true;
    suspended_ = false;
    std::string().swap(waiting_);
    taken_ = 0;
  }
}

void Channel::wake() {
  if (suspended_ && connection_ != nullptr) {
    suspended_ = false;
    MHD_resume_connection(connection_);
  }
}

ssize_t Channel::take(char* buffer, std::size_t room) {
  const std::scoped_lock lock(mutex_);
  if (over_) return MHD_CONTENT_READER_END_WITH_ERROR;
  const std::size_t count = std::min(room, waiting_.size() - taken_);
  if (count > 0) {
    std::memcpy(buffer, waiting_.data() + taken_, count);
    taken_ += count;
    if (taken_ == waiting_.size()) {
      waiting_.clear();
      taken_ = 0;
    } else if (taken_ > kMostWaitingBytes) {  // a sender that never lets it run dry
      waiting_.erase(0, std::exchange(taken_, 0));
    }
    return static_cast<ssize_t>(count);
  }
  if (finished_) return MHD_CONTENT_READER_END_OF_STREAM;
  suspended_ = true;
  MHD_suspend_connection(connection_);
  return 0;
}

MHD_Response* response_from(std::shared_ptr<Channel> channel) {
  auto holder = std::make_unique<std::shared_ptr<Channel>>(std::move(channel));
  MHD_Response* response =
      MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, kBlockBytes, &read_channel, holder.get(), &free_channel);
  if (response != nullptr) static_cast<void>(holder.release());  // now the response's
  return response;
}

Stream::Stream(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&& other) noexcept {
  if (this != &other) {
    if (channel_) channel_->finish();
    channel_ = std::move(other.channel_);
  }
  return *this;
}
Stream::~Stream() {
  if (channel_) channel_->finish();
}
bool Stream::send(std::string_view bytes) { return channel_ != nullptr && channel_->append(bytes); }

}  // namespace imago::http
