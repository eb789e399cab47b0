// SPDX-License-Identifier: Apache-2.0
// ModelStreamInfer: inferences asked for one after the other on one stream, answered in that order.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <set>

#include "grpc/infer_call.hpp"

namespace imago::grpc {

class InferStream;

/// The streams that are open. Safe from any thread.
class OpenStreams {
 public:
  void add(const std::shared_ptr<InferStream>& stream);
  void remove(const std::shared_ptr<InferStream>& stream);
  /// Each answers what it has read and ends; so does every one that opens from now on.
  void stop();

 private:
  std::mutex mutex_;  // guards what follows
  std::set<std::shared_ptr<InferStream>> streams_;
  bool stopped_ = false;
};

/// Reads ahead by a few messages, so that a client which sends without waiting keeps the batcher busy, and no further:
/// then the client is held back. A message that goes wrong is answered with its error, and the stream goes on.
class InferStream final
    : public ::grpc::ServerBidiReactor<inference::ModelInferRequest, inference::ModelStreamInferResponse>,
      public std::enable_shared_from_this<InferStream> {
 public:
  /// It lives until the call is done.
  static InferStream* open(const serve::OpenInferenceHost& host, Call call, OpenStreams& streams);
  /// Answers what has been read and ends. Safe from any thread.
  void stop();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override;

 private:
  static constexpr std::size_t kMostOpen = 16;  // messages read and not answered

  struct Item {
    explicit Item(Call from) : call(std::move(from)) {}
    Call call;
    inference::ModelInferRequest request;
    inference::ModelStreamInferResponse response;
    bool answered = false;
  };
  enum class Step { Nothing, Read, Write, Finish };

  InferStream(const serve::OpenInferenceHost& host, Call call, OpenStreams& streams)
      : host_(host), call_(std::move(call)), streams_(streams) {}

  void stop(::grpc::Status ending);
  void start(const std::shared_ptr<Item>& item);
  void answer(const std::shared_ptr<Item>& item, const Ending& ending);
  void advance();
  Step next_step();  // with the lock held

  const serve::OpenInferenceHost& host_;
  const Call call_;
  OpenStreams& streams_;
  inference::ModelInferRequest incoming_;  // of the read that is under way

  std::mutex mutex_;  // guards what follows
  std::deque<std::shared_ptr<Item>> items_;
  bool reading_ = false, writing_ = false;
  bool no_more_ = false;   // the client has said all
  bool stopping_ = false;  // the server has
  bool broken_ = false;    // nobody is there to read answers
  bool finished_ = false;
  bool advancing_ = false;  // a thread is taking steps: they are taken one at a time, without the lock
  ::grpc::Status ending_;
};

}  // namespace imago::grpc
