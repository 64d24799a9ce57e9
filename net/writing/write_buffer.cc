// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/writing/write_buffer.h"

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "ringway/core/cancelled_status.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"

namespace ringway::net::internal {

using ringway::internal::WaitEnd;
using ringway::internal::WaitLine;

namespace {

absl::Status ClosedStatus() {
  return UnusableStatus(Unusable::kEmpty, "stream");
}

}  // namespace

// --- BufferWait

BufferWait::BufferWait(WriteBuffer* buffer, TryFunction attempt,
                       std::span<const std::byte> bytes)
    : buffer_(buffer),
      unusable_(LoopDependent::WhyUnusable(buffer, kOwner)),
      attempt_(attempt),
      bytes_(bytes) {}

BufferWait::WaitEnd BufferWait::Admit() {
  if (unusable_ != Unusable::kNo) return WaitEnd::kUnusable;
  buffer_->CheckAwaitedOn(task().loop(), kOwner);
  return WaitEnd::kWaiting;
}

BufferWait::WaitEnd BufferWait::Begin() {
  return attempt_(*buffer_, *this) ? WaitEnd::kServed : WaitEnd::kWaiting;
}

// The next one may fit.
void BufferWait::AfterCancel() { buffer_->AdmitWaiters(); }

absl::Status BufferWait::await_resume() const {
  if (unusable_ != Unusable::kNo)
    return UnusableStatus(unusable_, "BufferedWriter");
  if (cancelled()) return CancelledStatus();
  return result_;
}

// --- WriteBuffer

WriteBuffer::WriteBuffer(Loop& loop, size_t limit_bytes)
    : Orphan(loop), loop_(loop), limit_bytes_(limit_bytes) {
  RINGWAY_CHECK(limit_bytes > 0, "a BufferedWriter with a limit of 0 bytes");
}

bool WriteBuffer::TryEnqueue(BufferWait& wait) {
  if (TryEnqueueNow(wait.bytes_, wait.result_)) return true;
  return !WaitIn(enqueuing_, wait);
}

bool WriteBuffer::TryEnqueueNow(std::span<const std::byte> bytes,
                                absl::Status& result) {
  result = error_;
  if (!error_.ok()) return true;
  if (!IsOpen()) {
    result = ClosedStatus();
    return true;
  }
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
  if (!error_.ok() || sent_total_ == enqueued_total_) return true;
  if (!IsOpen() && !send_in_progress_) {
    // What is held back can be sent no more.
    wait.result_ = ClosedStatus();
    return true;
  }
  return !WaitIn(flushing_, wait);
}

// False, with the error, if that cannot be sent which the wait is for. What it
// is for is sent although it is corked.
bool WriteBuffer::WaitIn(WaitLine<BufferWait>& line, BufferWait& wait) {
  SendWhatIsDue(/*awaited=*/true);
  wait.result_ = error_;
  if (!error_.ok()) return false;
  line.Join(wait);
  return true;
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

absl::Status WriteBuffer::Append(std::span<const std::byte> bytes) {
  // What is enqueued in one turn goes out together.
  const bool with_send = SendIsQueued();
  std::vector<std::byte>& buffer = with_send ? sending_ : filling_;
  if (!ReserveFor(buffer, bytes.size()))
    return ErrnoToStatus(ENOMEM, "buffered write on a stream");
  buffer.insert(buffer.end(), bytes.begin(), bytes.end());
  enqueued_total_ += bytes.size();
  high_water_bytes_ = std::max(high_water_bytes_, queued_bytes());
  if (with_send) TakeMore();
  SendWhatIsDue();
  return absl::OkStatus();
}

// Not the rest of a short send: what was sent before it would stay in front for
// as long as more is enqueued.
bool WriteBuffer::SendIsQueued() const {
  return send_in_progress_ && filling_.empty() && sent_ == 0 && CanTakeMore();
}

bool WriteBuffer::SendIsDue() const {
  return !corked_ || !enqueuing_.empty() || !flushing_.empty();
}

void WriteBuffer::SendWhatIsDue(bool awaited) {
  if (send_in_progress_ || filling_.empty() || !IsOpen()) return;
  if (!awaited && !SendIsDue()) return;
  std::swap(filling_, sending_);
  send_in_progress_ = true;
  StartSend();
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

bool WriteBuffer::Advance(size_t n_bytes, bool cancelled) {
  sent_ += n_bytes;
  sent_total_ += n_bytes;
  if (sent_ == sending_.size()) {
    sending_.clear();
    sent_ = 0;
    // Memory for a message above the limit is not kept.
    if (sending_.capacity() > limit_bytes_) sending_ = {};
  }
  CompleteFlushes();
  AdmitWaiters();
  if (sending_.empty() && !filling_.empty() && SendIsDue())
    std::swap(filling_, sending_);
  if (sending_.empty()) return false;
  // If a part was already sent, only the request shows the cancel.
  if (cancelled) Fail(CancelledStatus());
  return !cancelled;
}

void WriteBuffer::Fail(const absl::Status& error) {
  error_ = error;
  filling_ = {};
  sending_ = {};
  sent_ = 0;
  EndAllWaits(error);
}

void WriteBuffer::EndSend() {
  send_in_progress_ = false;
  if (abandoned_) loop_.Bury(*this);
}

void WriteBuffer::EndAllWaits(const absl::Status& result) {
  for (WaitLine<BufferWait>* line : {&enqueuing_, &flushing_}) {
    while (BufferWait* wait = line->front()) {
      wait->result_ = result;
      line->CompleteFront(WaitEnd::kServed);
    }
  }
}

// No task is left that could wait.
void WriteBuffer::ForgetAll() {
  send_in_progress_ = false;
  filling_ = {};
  sending_ = {};
  sent_ = 0;
}

void WriteBuffer::Abandon(std::unique_ptr<WriteBuffer> buffer) {
  if (LetGoWithoutLoop(buffer, "a BufferedWriter")) return;
  WriteBuffer& self = *buffer;
  self.abandoned_ = true;
  self.EndAllWaits(CancelledStatus());
  if (!self.send_in_progress_ || self.CancelSend()) return;
  self.loop_.Adopt(std::move(buffer));
}

}  // namespace ringway::net::internal
