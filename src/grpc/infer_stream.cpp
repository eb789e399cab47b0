// SPDX-License-Identifier: Apache-2.0
#include "grpc/infer_stream.hpp"

#include <utility>

namespace imago::grpc {

void OpenStreams::add(const std::shared_ptr<InferStream>& stream) {
  bool stopped = false;
  {
    const std::scoped_lock lock(mutex_);
    streams_.insert(stream);
    stopped = stopped_;
  }
  if (stopped) stream->stop();
}

void OpenStreams::remove(const std::shared_ptr<InferStream>& stream) {
  const std::scoped_lock lock(mutex_);
  streams_.erase(stream);
}

void OpenStreams::stop() {
  std::set<std::shared_ptr<InferStream>> open;
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    open = streams_;
  }
  for (const auto& stream : open) stream->stop();
}

InferStream* InferStream::open(const serve::OpenInferenceHost& host, Call call, OpenStreams& streams) {
  auto refused = call.admit(access::Scope::Predict);
  const std::shared_ptr<InferStream> stream(new InferStream(host, std::move(call), streams));
  streams.add(stream);
  if (refused) {
    stream->call_.close(*refused);
    stream->stop(std::move(refused->status));
  }
  stream->advance();
  return stream.get();
}

void InferStream::stop() { stop(::grpc::Status(::grpc::StatusCode::UNAVAILABLE, "the server is stopping")); }

void InferStream::stop(::grpc::Status ending) {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    if (!no_more_) ending_ = std::move(ending);
  }
  advance();
}

void InferStream::OnReadDone(bool ok) {
  std::shared_ptr<Item> item;
  {
    const std::scoped_lock lock(mutex_);
    reading_ = false;
    no_more_ = no_more_ || !ok;
    if (ok && !stopping_) {
      item = std::make_shared<Item>(call_.next());
      item->request.Swap(&incoming_);
      items_.push_back(item);
    }
  }
  if (item) start(item);
  advance();
}

void InferStream::start(const std::shared_ptr<Item>& item) {
  if (auto refused = item->call.admit(access::Scope::Predict)) return answer(item, *refused);
  infer(host_, item->call, item->request, *item->response.mutable_infer_response(),
        [self = shared_from_this(), item](const Ending& ending) { self->answer(item, ending); });
}

void InferStream::answer(const std::shared_ptr<Item>& item, const Ending& ending) {
  if (!ending.status.ok()) {
    item->response.set_error_message(ending.status.error_message());
    auto& about = *item->response.mutable_infer_response();
    about.Clear();
    about.set_id(item->request.id());
    about.set_model_name(item->request.model_name());
  }
  item->call.close(ending);
  {
    const std::scoped_lock lock(mutex_);
    item->answered = true;
  }
  advance();
}

void InferStream::OnWriteDone(bool ok) {
  {
    const std::scoped_lock lock(mutex_);
    writing_ = false;
    broken_ = broken_ || !ok;
    items_.pop_front();
  }
  advance();
}

void InferStream::OnDone() { streams_.remove(shared_from_this()); }

void InferStream::advance() {
  const auto self = shared_from_this();  // Finish may be the end of it
  const inference::ModelStreamInferResponse* response = nullptr;
  for (Step step = Step::Nothing;;) {
    {
      const std::scoped_lock lock(mutex_);
      if (step == Step::Nothing && std::exchange(advancing_, true)) return;
      step = next_step();
      if (step == Step::Nothing) {
        advancing_ = false;
        return;
      }
      if (step == Step::Write) response = &items_.front()->response;
    }
    switch (step) {
      case Step::Nothing: break;
      case Step::Read: StartRead(&incoming_); break;
      case Step::Write: StartWrite(response); break;
      case Step::Finish: Finish(ending_); break;
    }
  }
}

InferStream::Step InferStream::next_step() {
  if (finished_) return Step::Nothing;
  while (broken_ && !writing_ && !items_.empty() && items_.front()->answered) items_.pop_front();
  if (!reading_ && !no_more_ && !stopping_ && items_.size() < kMostOpen) {
    reading_ = true;
    return Step::Read;
  }
  if (!writing_ && !items_.empty() && items_.front()->answered) {
    writing_ = true;
    return Step::Write;
  }
  if ((no_more_ || stopping_) && items_.empty()) {
    finished_ = true;
    return Step::Finish;
  }
  return Step::Nothing;
}

}  // namespace imago::grpc
