// SPDX-License-Identifier: Apache-2.0
//
// WriteBuffer: the state of a BufferedWriter: two buffers, one being filled
// while the other is being sent.
//
// Outlives its BufferedWriter while a send is in flight: the loop adopts it
// until the cancelled send has ended.

#ifndef RINGWAY_NET_WRITE_BUFFER_H_
#define RINGWAY_NET_WRITE_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ringway/backends/operation.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/socket/stream_core.h"

namespace ringway::net::internal {

class WriteBuffer final : public Orphan {
 public:
  // Null for a stream that is closed or whose loop has ended.
  static std::unique_ptr<WriteBuffer> New(const StreamHalf& stream,
                                          size_t limit_bytes);

  // Queues the bytes of `wait`, or sets its error; false if it has to wait.
  bool TryEnqueue(BufferWait& wait);
  // False while bytes that were enqueued before are unsent.
  bool TryFlush(BufferWait& wait);

  // Queues `bytes` if there is room and no task waits for it; false if not.
  bool TryEnqueueNow(std::span<const std::byte> bytes, int32_t& result);

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
  int fd() const { return fd_; }
  // No send has failed, but none can be started any more.
  bool stream_closed() const {
    return error_ == 0 && stream_.core() == nullptr;
  }

 private:
  struct Send : Operation {
    explicit Send(WriteBuffer& b) : Operation(&OnDone), buffer(b) {}
    static void OnDone(Runnable& entry);
    WriteBuffer& buffer;
  };

  WriteBuffer(const StreamHalf& stream, size_t limit_bytes);

  void OnLoopEnd() override;
  bool HasRoomFor(size_t n_bytes) const;
  // Returns 0, or -ENOMEM and appends nothing.
  int32_t Append(std::span<const std::byte> bytes);
  bool ReserveFor(std::vector<std::byte>& buffer, size_t n_bytes);
  // Starts a send unless one is under way or none is due.
  void SendWhatIsDue();
  bool SendIsDue() const;
  // The send under way has not begun and has all that was enqueued: more can go
  // with it.
  bool SendIsQueued() const;
  void CompleteFlushes();
  void BeginSending();
  void PrepareRest();
  void OnSent();
  // True if there is more to send and the stream can send it.
  bool Advance(int32_t result, bool cancelled);
  void Fail(int32_t error);
  void EndAllWaits(int32_t result);

  StreamHalf stream_;
  Loop& loop_;  // may have ended: see loop_ended()
  const int fd_;
  const size_t limit_bytes_;
  std::vector<std::byte> filling_;
  std::vector<std::byte> sending_;  // empty unless `sending_to_`
  size_t sent_ = 0;                 // of `sending_`
  uint64_t enqueued_total_ = 0;
  uint64_t sent_total_ = 0;
  size_t high_water_bytes_ = 0;
  int32_t error_ = 0;  // -errno of the send that failed
  // The stream, from the start of a send to its end. It exists that long even
  // if it is closed meanwhile.
  StreamCore* sending_to_ = nullptr;
  bool abandoned_ = false;
  bool corked_ = false;
  ringway::internal::WaitLine<BufferWait> enqueuing_;
  ringway::internal::WaitLine<BufferWait> flushing_;
  Send send_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_WRITE_BUFFER_H_
