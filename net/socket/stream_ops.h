// SPDX-License-Identifier: Apache-2.0
//
// The awaitables of a stream: ReadOp, ReceiveOp, ReceiveUntilOp, WriteOp,
// WritevOp, SendFileOp, ShutdownWriteOp, CloseOp; see also write_gather_op.h.
// net::TcpStream creates and documents them.

#ifndef RINGWAY_NET_SOCKET_STREAM_OPS_H_
#define RINGWAY_NET_SOCKET_STREAM_OPS_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/net/received_buffer.h"
#include "ringway/net/socket/stream_core.h"
#include "ringway/net/writing/part_cursor.h"

namespace ringway::net {

// Base of the operations that read from a stream, one at a time.
class StreamRead : public OperationAwait {
 public:
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    TaskContext& task = leaf.promise().task();
    if (unusable_ != Unusable::kNo) return task.SkipWait(leaf);
    core_->CheckAwaitedOn(task.loop(), kind_.handle);
    if (!Park(leaf, task)) return task.SkipWait(leaf);
    begun_ = true;
    core_->BeginRead(*this);
    return true;
  }

 protected:
  explicit StreamRead(internal::StreamCore* core,
                      const internal::StreamKind& kind = internal::kTcpStream);
  ~StreamRead();

  bool usable() const { return unusable_ == Unusable::kNo; }
  // The bytes that were read.
  absl::StatusOr<size_t> Result() const;

  internal::StreamCore* const core_;

 private:
  static void OnDone(Runnable& entry);
  static void OnCancel(Suspension& suspension);
  static std::string Describe(const Suspension& suspension);

  const internal::StreamKind& kind_;
  const Unusable unusable_;
  bool begun_ = false;  // and not ended
};

class [[nodiscard]] ReadOp : public StreamRead {
 public:
  ReadOp(internal::StreamCore* core, std::span<std::byte> buffer);

  // The kernel would wait for data even if the buffer is empty.
  bool await_ready() const noexcept { return length == 0 && usable(); }
  absl::StatusOr<size_t> await_resume() const { return Result(); }
};

class [[nodiscard]] ReceiveOp : public internal::ReceiveWait {
 public:
  explicit ReceiveOp(internal::StreamCore* core) : ReceiveWait(core) {}
  absl::StatusOr<ReceivedBuffer> await_resume();
};

class [[nodiscard]] ReceiveUntilOp : public internal::ReceiveWait {
 public:
  ReceiveUntilOp(internal::StreamCore* core, ReceiveConsumer& consumer)
      : ReceiveWait(core, &consumer) {}
  absl::Status await_resume();
};

// Base of the operations that are queued in a stream's write order.
class QueuedWrite : public OperationAwait {
 public:
  ~QueuedWrite();

  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    TaskContext& task = leaf.promise().task();
    if (!usable()) return task.SkipWait(leaf);
    core_->CheckAwaitedOn(task.loop(), kind_.handle);
    if (!Park(leaf, task)) return task.SkipWait(leaf);
    begun_ = true;
    core_->BeginWrite(*step_);
    return true;
  }
  absl::Status await_resume() const;

 protected:
  // Called after each completion with the bytes it transferred; prepares the
  // next step and returns true, or false when all is done.
  using AdvanceFunction = bool (*)(QueuedWrite&, size_t n_bytes);
  QueuedWrite(internal::StreamCore* core, AdvanceFunction advance,
              const internal::StreamKind& kind = internal::kTcpStream);

  bool usable() const { return unusable_ == Unusable::kNo; }
  // The operation of the next step, if it is not this one. Its end goes to
  // EndStep().
  void set_step(Operation& step) { step_ = &step; }
  void EndStep(int32_t step_result);
  // For destructors: leaves the stream's order. Needed only if the frame is
  // destroyed while it waits.
  void Leave();

  internal::StreamCore* const core_;

 private:
  static void OnDone(Runnable& entry);
  static void OnCancel(Suspension& suspension);
  static std::string Describe(const Suspension& suspension);

  const AdvanceFunction advance_;
  Operation* step_ = this;  // the operation that holds the write's place
  const internal::StreamKind& kind_;
  const Unusable unusable_;
  bool begun_ = false;  // and not ended
};

class [[nodiscard]] WriteOp : public QueuedWrite {
 public:
  WriteOp(internal::StreamCore* core, std::span<const std::byte> bytes);
  bool await_ready() const noexcept { return rest_.empty() && usable(); }

 private:
  static bool Advance(QueuedWrite& self, size_t n_bytes);
  void Prepare();

  std::span<const std::byte> rest_;
};

class [[nodiscard]] WritevOp : public QueuedWrite {
 public:
  WritevOp(internal::StreamCore* core,
           std::span<const std::span<const std::byte>> parts);
  bool await_ready() const noexcept { return left_.empty() && usable(); }

 private:
  // Parts per system call; more go in several, in order.
  static constexpr size_t kBatch = 16;

  static bool Advance(QueuedWrite& self, size_t n_bytes);
  // Points `message_` at the next unsent parts; false when there is none.
  bool Prepare();

  internal::PartCursor<std::span<const std::byte>> left_;
  std::array<iovec, kBatch> vectors_;
  msghdr message_ = {};
};

class [[nodiscard]] SendFileOp : public QueuedWrite {
 public:
  SendFileOp(internal::StreamCore* core, int file, int64_t offset,
             uint64_t n_bytes);
  bool await_ready() const noexcept { return n_left_ == 0 && usable(); }
  absl::StatusOr<uint64_t> await_resume() const;

 private:
  static bool Advance(QueuedWrite& self, size_t n_bytes);
  void Prepare();

  const int file_;
  const int64_t offset_;
  const uint64_t n_bytes_;
  uint64_t n_left_;
};

class [[nodiscard]] ShutdownWriteOp : public QueuedWrite {
 public:
  explicit ShutdownWriteOp(
      internal::StreamCore* core,
      const internal::StreamKind& kind = internal::kTcpStream);
};

class [[nodiscard]] CloseOp : private internal::SocketCore::Closer {
 public:
  explicit CloseOp(std::unique_ptr<internal::StreamCore> core);
  CloseOp(const CloseOp&) = delete;
  CloseOp& operator=(const CloseOp&) = delete;
  ~CloseOp();

  bool await_ready() const noexcept { return core_ == nullptr; }
  template <TaskPromise P>
  void await_suspend(std::coroutine_handle<P> leaf) {
    task_ = &leaf.promise().task();
    core_->CheckAwaitedOn(task_->loop(), "a TcpStream");
    task_->ParkBriefly(leaf);
    closing_ = core_.get();
    internal::SocketCore::Abandon(std::move(core_), "a TcpStream", this);
  }
  absl::Status await_resume() const;

 private:
  static void OnClosed(Closer& closer, int32_t result);

  std::unique_ptr<internal::StreamCore> core_;
  const int fd_;
  internal::StreamCore* closing_ = nullptr;  // while it may still call us
  TaskContext* task_ = nullptr;
  int32_t result_ = 0;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_SOCKET_STREAM_OPS_H_
