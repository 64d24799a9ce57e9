// SPDX-License-Identifier: Apache-2.0
//
// WriteBuffer: the state of a BufferedWriter: two buffers, one being filled
// while the other is being sent; and BufferWait, a task that waits for it.
// What sends is a subclass: StreamWriteBuffer, SinkWriteBuffer.
//
// Outlives its BufferedWriter while a send is in flight: the loop adopts it
// until the cancelled send has ended.

#ifndef RINGWAY_NET_WRITING_WRITE_BUFFER_H_
#define RINGWAY_NET_WRITING_WRITE_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/task/wait.h"

namespace ringway::net::internal {

class WriteBuffer;

// A wait for room, or until enqueued bytes are sent.
class BufferWait : public ringway::internal::QueuedWait<BufferWait> {
 public:
  absl::Status await_resume() const;

 protected:
  // True if no wait is needed: the buffer has set the result.
  using TryFunction = bool (*)(WriteBuffer&, BufferWait&);
  BufferWait(WriteBuffer* buffer, TryFunction attempt,
             std::span<const std::byte> bytes);

 private:
  friend class ringway::internal::Wait<BufferWait>;
  friend class ringway::internal::QueuedWait<BufferWait>;
  friend class ringway::internal::WaitLine<BufferWait>;
  friend class WriteBuffer;
  using WaitEnd = ringway::internal::WaitEnd;
  static constexpr char kOwner[] = "a BufferedWriter";

  WaitEnd Admit();
  WaitEnd Begin();
  void AfterCancel();

  WriteBuffer* const buffer_;
  const Unusable unusable_;
  const TryFunction attempt_;
  const std::span<const std::byte> bytes_;  // to be queued
  uint64_t target_ = 0;                     // how many bytes must be sent, ever
  absl::Status result_;
};

class WriteBuffer : public Orphan {
 public:
  // Queues the bytes of `wait`, or sets its error; false if it has to wait.
  bool TryEnqueue(BufferWait& wait);
  // False while bytes that were enqueued before are unsent.
  bool TryFlush(BufferWait& wait);

  // Queues `bytes` if there is room and no task waits for it; false if not.
  bool TryEnqueueNow(std::span<const std::byte> bytes, absl::Status& result);

  // Corked, it sends only what a task waits for.
  void Cork() { corked_ = true; }
  void Uncork();

  // Queues the bytes of waits for room, as far as there is room.
  void AdmitWaiters();

  // Cancels the send in flight and all waits, then deletes the buffer.
  static void Abandon(std::unique_ptr<WriteBuffer> buffer);

  size_t queued_bytes() const {
    return filling_.size() + sending_.size() - sent_;
  }
  size_t high_water_bytes() const { return high_water_bytes_; }
  size_t memory_bytes() const {
    return filling_.capacity() + sending_.capacity();
  }

 protected:
  WriteBuffer(Loop& loop, size_t limit_bytes);

  // --- What a subclass does.

  // False if no send can be started any more.
  virtual bool IsOpen() const = 0;
  // Starts to send unsent(). Any number of Advance(), or Fail(), and then
  // EndSend() follow; only a failure at once from inside this call.
  virtual void StartSend() = 0;
  // The send has not begun and can take what is appended to unsent() too.
  virtual bool CanTakeMore() const = 0;
  // unsent() has become longer.
  virtual void TakeMore() = 0;
  // Cancels the send, which EndSend() follows. True if nothing follows, because
  // it had not begun, or the loop is being destroyed.
  virtual bool CancelSend() = 0;

  // --- What it calls.

  Loop& loop() { return loop_; }
  bool abandoned() const { return abandoned_; }
  std::span<const std::byte> unsent() const {
    return std::span(sending_).subspan(sent_);
  }
  // `n_bytes` of unsent() were sent. True if the send goes on, with what is
  // unsent now; never if it was `cancelled`.
  bool Advance(size_t n_bytes, bool cancelled);
  void Fail(const absl::Status& error);
  // The send has ended. May delete this.
  void EndSend();
  // The loop has ended, and the send with it.
  void ForgetAll();

 private:
  void OnLoopEnd() override { ForgetAll(); }
  bool HasRoomFor(size_t n_bytes) const;
  // On error appends nothing.
  absl::Status Append(std::span<const std::byte> bytes);
  bool ReserveFor(std::vector<std::byte>& buffer, size_t n_bytes);
  // Starts a send unless one is under way or none is due. `awaited`: a task is
  // about to wait for it.
  void SendWhatIsDue(bool awaited = false);
  bool SendIsDue() const;
  bool WaitIn(ringway::internal::WaitLine<BufferWait>& line, BufferWait& wait);
  // The send under way has not begun and has all that was enqueued: more can go
  // with it.
  bool SendIsQueued() const;
  void CompleteFlushes();
  void EndAllWaits(const absl::Status& result);

  Loop& loop_;  // may have ended: see loop_ended()
  const size_t limit_bytes_;
  std::vector<std::byte> filling_;
  std::vector<std::byte> sending_;  // empty unless `send_in_progress_`
  size_t sent_ = 0;                 // of `sending_`
  uint64_t enqueued_total_ = 0;
  uint64_t sent_total_ = 0;
  size_t high_water_bytes_ = 0;
  absl::Status error_;  // of the send that failed
  bool send_in_progress_ = false;
  bool abandoned_ = false;
  bool corked_ = false;
  ringway::internal::WaitLine<BufferWait> enqueuing_;
  ringway::internal::WaitLine<BufferWait> flushing_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_WRITING_WRITE_BUFFER_H_
