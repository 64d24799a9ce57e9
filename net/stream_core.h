// SPDX-License-Identifier: Apache-2.0
//
// StreamCore: one connected socket - its fd, the order of its writers, its lent
// receive buffers and its orderly end. What net::TcpStream and its halves point
// to.
//
// Lives at a fixed address because operations refer to it, and longer than its
// TcpStream where operations are still in flight: then the loop adopts it, they
// are cancelled and reaped, and only then is the fd closed. (Closing an fd with
// an armed receive sends no FIN and leaves the receive armed.)

#ifndef RINGWAY_NET_STREAM_CORE_H_
#define RINGWAY_NET_STREAM_CORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "ringway/backends/operation.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/memory/frame_allocator.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/net/receiver.h"

namespace ringway::net::internal {

class StreamCore;

// What one half of a stream refers to it by: to nothing once the stream has
// been closed or dropped. For the loop's thread only (checked), until the loop
// has ended.
class StreamHalf : private ListNode {
 public:
  explicit StreamHalf(StreamCore* core) { Link(core); }
  StreamHalf(const StreamHalf& other) { Link(other.core_); }
  StreamHalf& operator=(const StreamHalf& other) {
    if (this != &other) {
      Unlink();
      Link(other.core_);
    }
    return *this;
  }
  ~StreamHalf() { Unlink(); }

  StreamCore* core() const { return core_; }

 private:
  friend class StreamCore;
  friend class IntrusiveList<StreamHalf>;

  void Link(StreamCore* core);
  void Unlink();

  StreamCore* core_ = nullptr;
};

class StreamCore final : public Orphan {
 public:
  StreamCore(Loop& loop, UniqueFd fd)
      : Orphan(loop), loop_(loop), fd_(std::move(fd)), close_(*this) {}
  ~StreamCore() override;

  // Cores come and go with connections: from the worker's slab, like frames.
  static void* operator new(size_t n_bytes) {
    return FrameAllocator::Allocate(n_bytes);
  }
  static void operator delete(void* p) { FrameAllocator::Free(p); }

  Loop& loop() { return loop_; }
  int fd() const { return fd_.get(); }
  // A read has begun and not ended.
  bool reading() const { return reader_ != nullptr; }
  // The stream has been dropped: what is in flight ends, nothing starts again.
  bool abandoned() const { return abandoned_; }

  // Starts `read`, a receive. One at a time (checked).
  void BeginRead(Operation& read);
  // `read` has ended.
  void EndRead();
  // Asks `read` to end. True if it was not started and is the caller's to
  // complete.
  bool CancelRead(Operation& read);

  // Starts `write` when every write begun before it has ended.
  void BeginWrite(Operation& write);
  // The write in flight has ended; the next one starts.
  void EndWrite();
  // Asks `write` to end. True if it was not started and is the caller's to
  // complete.
  bool CancelWrite(Operation& write);

  // The receiver of lent buffers, made by the first use.
  Receiver& receiver();
  void OnReceiverStopped() { CloseIfIdle(); }

  // Called with 0 or -errno when the socket has been closed.
  struct Closer {
    void (*on_closed)(Closer&, int32_t result);
  };

  // Gives the core to its loop, which cancels what is in flight, waits for it
  // and closes the fd; deletes it if the loop has ended. `closer`, if not null,
  // hears of it unless ForgetCloser() was called first.
  static void Abandon(std::unique_ptr<StreamCore> core,
                      Closer* closer = nullptr);
  void ForgetCloser() { closer_ = nullptr; }

 private:
  struct CloseOperation : Operation {
    explicit CloseOperation(StreamCore& c) : Operation(&OnDone), core(c) {}
    static void OnDone(Runnable& entry);
    StreamCore& core;
  };

  friend class StreamHalf;

  void OnLoopEnd() override;
  void CutOffHalves();
  void CloseIfIdle();

  Loop& loop_;  // may have ended: see loop_ended()
  UniqueFd fd_;
  Operation* reader_ = nullptr;
  Operation* writer_ = nullptr;  // the one in flight
  OperationList
      waiting_writers_;  // idle operations, in the order of their calls
  std::optional<Receiver> receiver_;
  IntrusiveList<StreamHalf> halves_;
  Closer* closer_ = nullptr;
  bool abandoned_ = false;
  CloseOperation close_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_STREAM_CORE_H_
