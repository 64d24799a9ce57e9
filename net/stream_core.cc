// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_core.h"

#include <cerrno>

#include "ringway/backends/prepare.h"
#include "ringway/core/check.h"
#include "ringway/core/linger.h"

namespace ringway::net::internal {

void StreamHalf::Link(StreamCore* core) {
  if (core == nullptr) return;
  if (!core->loop_ended()) core->loop().CheckThread("a half of a TcpStream");
  core_ = core;
  core->halves_.PushBack(*this);
}

void StreamHalf::Unlink() {
  if (core_ == nullptr) return;
  if (!core_->loop_ended() && !core_->loop().forked())
    core_->loop().CheckThread("a half of a TcpStream");
  core_ = nullptr;
  ListNode::Unlink();
}

void StreamCore::CutOffHalves() {
  while (StreamHalf* half = halves_.PopFront()) half->core_ = nullptr;
}

StreamCore::~StreamCore() {
  CutOffHalves();
  // A close that was cancelled at the loop's end never happened.
  const bool closed =
      close_.state == OpState::kDone && close_.result != -ECANCELED;
  if (closed) {
    static_cast<void>(fd_.Release());
  } else if (fd_.valid()) {
    StopLingering(fd_.get());
    fd_.Reset();
  }
}

// No task is left that could read or write.
void StreamCore::OnLoopEnd() {
  receiver_.reset();
  StopLingering(fd_.get());
  fd_.Reset();
}

void StreamCore::BeginRead(Operation& read) {
  RINGWAY_CHECK(reader_ == nullptr, "two tasks read from one stream");
  reader_ = &read;
  if (receiver_.has_value()) [[unlikely]] {
    receiver_->HandOver(read);
  } else {
    loop_.Start(read);
  }
}

void StreamCore::EndRead() {
  reader_ = nullptr;
  CloseIfIdle();
}

bool StreamCore::CancelRead(Operation& read) {
  if (receiver_.has_value() && receiver_->LeaveHandOver(read)) {
    EndRead();
    return true;
  }
  loop_.Cancel(read);
  return false;
}

void StreamCore::BeginWrite(Operation& write) {
  if (writer_ != nullptr) {
    waiting_writers_.PushBack(write);
    return;
  }
  writer_ = &write;
  loop_.Start(write);
}

void StreamCore::EndWrite() {
  writer_ = waiting_writers_.PopFront();
  if (writer_ != nullptr) loop_.Start(*writer_);
  CloseIfIdle();
}

bool StreamCore::CancelWrite(Operation& write) {
  if (writer_ == &write) {
    loop_.Cancel(write);
    return false;
  }
  write.Unlink();
  CloseIfIdle();
  return true;
}

Receiver& StreamCore::receiver() {
  if (!receiver_.has_value()) receiver_.emplace(*this);
  return *receiver_;
}

void StreamCore::Abandon(std::unique_ptr<StreamCore> core, Closer* closer) {
  if (LetGoWithoutLoop(core, "a TcpStream")) return;
  StreamCore& self = *core;
  self.abandoned_ = true;
  self.closer_ = closer;
  self.CutOffHalves();
  self.loop_.Adopt(std::move(core));
  if (self.receiver_.has_value()) self.receiver_->Abandon();
  // Halves of the stream may still be in use by other tasks: their operations
  // end as cancelled. Waiting writes start one by one as their predecessors
  // end, and are cancelled then.
  if (self.reader_ != nullptr) self.loop_.Cancel(*self.reader_);
  if (self.writer_ != nullptr) self.loop_.Cancel(*self.writer_);
  self.CloseIfIdle();
}

void StreamCore::CloseIfIdle() {
  if (!abandoned_ || close_.state != OpState::kIdle) return;
  if (writer_ != nullptr) {
    loop_.Cancel(*writer_);
    return;
  }
  if (reader_ != nullptr || !waiting_writers_.empty()) return;
  if (receiver_.has_value() && receiver_->in_progress()) return;
  StopLingering(fd_.get());
  PrepareClose(close_, fd_.get());
  loop_.Start(close_);
}

void StreamCore::CloseOperation::OnDone(Runnable& entry) {
  auto& self = static_cast<CloseOperation&>(static_cast<Operation&>(entry));
  if (Closer* closer = self.core.closer_)
    closer->on_closed(*closer, self.result);
  self.core.loop_.Bury(self.core);
}

}  // namespace ringway::net::internal
