// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/write_buffer.h"

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "ringway/backends/prepare.h"
#include "ringway/core/check.h"

namespace ringway::net::internal {

using ringway::internal::WaitEnd;
using ringway::internal::WaitLine;

WriteBuffer::WriteBuffer(const StreamHalf& stream, size_t limit_bytes)
    : Orphan(stream.core()->loop()),
      stream_(stream),
      loop_(stream.core()->loop()),
      fd_(stream.core()->fd()),
      limit_bytes_(limit_bytes),
      send_(*this) {}

std::unique_ptr<WriteBuffer> WriteBuffer::New(const StreamHalf& stream,
                                              size_t limit_bytes) {
  RINGWAY_CHECK(limit_bytes > 0, "a BufferedWriter with a limit of 0 bytes");
  const Unusable why = WhyUnusable(stream.core(), "a half of a TcpStream");
  if (why != Unusable::kNo) return nullptr;
  return std::unique_ptr<WriteBuffer>(new WriteBuffer(stream, limit_bytes));
}

bool WriteBuffer::TryEnqueue(BufferWait& wait) {
  wait.stream_closed_ = stream_closed();
  if (wait.stream_closed_ || TryEnqueueNow(wait.bytes_, wait.result_))
    return true;
  enqueuing_.Join(wait);
  SendWhatIsDue();
  return false;
}

bool WriteBuffer::TryEnqueueNow(std::span<const std::byte> bytes,
                                int32_t& result) {
  result = error_;
  if (error_ != 0) return true;
  if (!enqueuing_.empty() || !HasRoomFor(bytes.size())) return false;
  result = Append(bytes);
  return true;
}

void WriteBuffer::Uncork() {
  corked_ = false;
  SendWhatIsDue();
}

bool WriteBuffer::TryFlush(BufferWait& wait) {
  wait.result_ = error_;
  wait.target_ = enqueued_total_;
  if (error_ != 0 || sent_total_ == enqueued_total_) return true;
  // What is held back can be sent no more.
  wait.stream_closed_ = stream_closed() && sending_to_ == nullptr;
  if (wait.stream_closed_) return true;
  flushing_.Join(wait);
  SendWhatIsDue();
  return false;
}

bool WriteBuffer::HasRoomFor(size_t n_bytes) const {
  const size_t queued = queued_bytes();
  return queued == 0 ||
         (queued <= limit_bytes_ && n_bytes <= limit_bytes_ - queued);
}

// False if there is no memory for `n_bytes` more.
bool WriteBuffer::ReserveFor(std::vector<std::byte>& buffer, size_t n_bytes) {
  const size_t size = buffer.size() + n_bytes;
  if (size <= buffer.capacity()) return true;
  try {
    // Doubles, but not beyond the maximum needed.
    buffer.reserve(
        std::max(size, std::min(limit_bytes_, 2 * buffer.capacity())));
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

int32_t WriteBuffer::Append(std::span<const std::byte> bytes) {
  // What is enqueued in one turn goes out together.
  const bool with_send = SendIsQueued();
  std::vector<std::byte>& buffer = with_send ? sending_ : filling_;
  if (!ReserveFor(buffer, bytes.size())) return -ENOMEM;
  buffer.insert(buffer.end(), bytes.begin(), bytes.end());
  enqueued_total_ += bytes.size();
  high_water_bytes_ = std::max(high_water_bytes_, queued_bytes());
  if (with_send) ReplaceBuffer(send_, sending_);
  SendWhatIsDue();
  return 0;
}

// Not the rest of a short send: what was sent before it would stay in front for
// as long as more is enqueued.
bool WriteBuffer::SendIsQueued() const {
  return sending_to_ != nullptr && filling_.empty() && sent_ == 0 &&
         (send_.state == OpState::kIdle || send_.state == OpState::kQueued);
}

bool WriteBuffer::SendIsDue() const {
  if (filling_.empty()) return false;
  return !corked_ || !enqueuing_.empty() || !flushing_.empty();
}

void WriteBuffer::SendWhatIsDue() {
  if (sending_to_ != nullptr || !SendIsDue() || stream_.core() == nullptr)
    return;
  std::swap(filling_, sending_);
  BeginSending();
}

void WriteBuffer::AdmitWaiters() {
  while (BufferWait* wait = enqueuing_.front()) {
    if (!HasRoomFor(wait->bytes_.size())) break;
    wait->result_ = Append(wait->bytes_);
    enqueuing_.CompleteFront(WaitEnd::kServed);
  }
}

void WriteBuffer::CompleteFlushes() {
  while (BufferWait* wait = flushing_.front()) {
    if (wait->target_ > sent_total_) break;
    flushing_.CompleteFront(WaitEnd::kServed);
  }
}

void WriteBuffer::BeginSending() {
  sending_to_ = stream_.core();
  PrepareRest();
  sending_to_->BeginWrite(send_);
}

// Without MSG_WAITALL, because every part that the kernel accepts makes room.
void WriteBuffer::PrepareRest() {
  PrepareSend(send_, fd_, std::span(sending_).subspan(sent_));
}

void WriteBuffer::Send::OnDone(Runnable& entry) {
  static_cast<Send&>(static_cast<Operation&>(entry)).buffer.OnSent();
}

void WriteBuffer::OnSent() {
  const bool cancelled =
      abandoned_ || sending_to_->abandoned() || send_.cancel_requested;
  if (Advance(send_.result, cancelled)) {
    PrepareRest();
    loop_.Start(send_);
    return;
  }
  std::exchange(sending_to_, nullptr)->EndWrite();
  if (abandoned_) loop_.Bury(*this);
}

bool WriteBuffer::Advance(int32_t result, bool cancelled) {
  if (result < 0) {
    Fail(result);
    return false;
  }
  sent_ += static_cast<size_t>(result);
  sent_total_ += static_cast<uint64_t>(result);
  if (sent_ == sending_.size()) {
    sending_.clear();
    sent_ = 0;
    // Memory for a message above the limit is not kept.
    if (sending_.capacity() > limit_bytes_) sending_ = {};
  }
  CompleteFlushes();
  AdmitWaiters();
  if (sending_.empty() && SendIsDue()) std::swap(filling_, sending_);
  if (sending_.empty()) return false;
  // If a part was already sent, only the request shows the cancel.
  if (cancelled) Fail(-ECANCELED);
  return !cancelled;
}

void WriteBuffer::Fail(int32_t error) {
  error_ = error;
  filling_ = {};
  sending_ = {};
  sent_ = 0;
  EndAllWaits(error);
}

void WriteBuffer::EndAllWaits(int32_t result) {
  for (WaitLine<BufferWait>* line : {&enqueuing_, &flushing_}) {
    while (BufferWait* wait = line->front()) {
      wait->result_ = result;
      line->CompleteFront(WaitEnd::kServed);
    }
  }
}

// No task is left that could wait. The stream, which may be destroyed, has
// dropped its writes.
void WriteBuffer::OnLoopEnd() {
  sending_to_ = nullptr;
  filling_ = {};
  sending_ = {};
  sent_ = 0;
}

void WriteBuffer::Abandon(std::unique_ptr<WriteBuffer> buffer) {
  if (LetGoWithoutLoop(buffer, "a BufferedWriter")) return;
  WriteBuffer& self = *buffer;
  self.abandoned_ = true;
  self.EndAllWaits(-ECANCELED);
  StreamCore* const sending_to = self.sending_to_;
  if (sending_to == nullptr || sending_to->CancelWrite(self.send_)) return;
  if (self.send_.active() || self.send_.linked()) {
    self.loop_.Adopt(std::move(buffer));
    return;
  }
  // The loop is being destroyed and has ended the send without running its
  // function.
  sending_to->EndWrite();
}

}  // namespace ringway::net::internal
