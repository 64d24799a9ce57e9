// SPDX-License-Identifier: Apache-2.0
//
// BufferedWriter: writes to a stream that return before the bytes are sent.
//
// Use it in a task that must keep reading while its peer is slow to read. The
// bytes are copied into a bounded buffer and sent in the background, in order,
// in batches. If a task can wait for each write, TcpStream::Write() is cheaper:
// it copies nothing.
//
//   net::BufferedWriter writer(stream.writer());
//   while (...) {
//     absl::Status queued = co_await writer.Enqueue(reply);
//     ...
//   }
//   absl::Status sent = co_await writer.Flush();

#ifndef RINGWAY_NET_BUFFERED_WRITER_H_
#define RINGWAY_NET_BUFFERED_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/task/wait.h"
#include "ringway/net/tcp_stream.h"

namespace ringway::net {

namespace internal {

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
  int32_t result_ = 0;
  bool stream_closed_ = false;
};

}  // namespace internal

class [[nodiscard]] EnqueueOp : public internal::BufferWait {
 public:
  EnqueueOp(internal::WriteBuffer* buffer, std::span<const std::byte> bytes);
};

class [[nodiscard]] FlushOp : public internal::BufferWait {
 public:
  explicit FlushOp(internal::WriteBuffer* buffer);
};

// May outlive its stream and its loop (executor/loop/loop_dependent.h).
//
// Threads: the stream's loop's only (checked), except for moving it.
class BufferedWriter {
 public:
  static constexpr size_t kDefaultLimit = size_t{1} << 20;

  // Buffers at most `limit_bytes`, at least 1 (checked), for the stream of
  // `writer`. While it exists, do not write to the stream in any other way: the
  // position of those bytes would be unspecified. If the stream is closed, the
  // writer behaves like one that was moved from.
  explicit BufferedWriter(const StreamWriter& writer,
                          size_t limit_bytes = kDefaultLimit);
  BufferedWriter(BufferedWriter&&) noexcept;
  BufferedWriter& operator=(BufferedWriter&& other) noexcept;
  // Discards unsent bytes: call Flush() first. Waiting tasks get Cancelled.
  ~BufferedWriter();

  // Copies `bytes` into the buffer; completes at once while there is room, else
  // waits for room in call order. If `bytes` exceeds the limit, waits until the
  // buffer is empty.
  //
  // Errors:       the error of an earlier send, such as Unavailable (EPIPE,
  //               ECONNRESET); it is permanent. ResourceExhausted (ENOMEM): no
  //               memory for the copy; nothing of `bytes` was queued, and the
  //               writer remains usable. Cancelled. FailedPrecondition once
  //               moved from, and when the stream is closed or its loop has
  //               ended.
  // Ownership:    `bytes` must outlive the await only.
  // Threads:      the stream's loop's only (checked).
  // Cancellation: a cancelled wait has queued nothing.
  // Cost:         one copy; no allocation once the buffer has grown to its
  //               working size, no system call before the turn ends.
  EnqueueOp Enqueue(std::span<const std::byte> bytes) {
    return EnqueueOp(buffer_.get(), bytes);
  }

  // The same without waiting: the bytes are queued at once or not at all.
  //
  // Errors: as Enqueue(). ResourceExhausted also if there is no room, or tasks
  //         wait for it.
  absl::Status TryEnqueue(std::span<const std::byte> bytes);

  // Holds back what is enqueued until Uncork(), a Flush(), or a task that waits
  // for room, so that a message of many parts goes out in few packets. (What is
  // enqueued in one turn of the loop goes out together anyway.) Both do nothing
  // once it is moved from or its loop has ended.
  void Cork();
  void Uncork();

  // Waits until the kernel has accepted everything enqueued before.
  //
  // Errors:       as Enqueue().
  // Cancellation: ends the wait; sending continues.
  FlushOp Flush() { return FlushOp(buffer_.get()); }

  // Bytes that the kernel has not accepted yet, now and at most so far. Both
  // abort once the writer is moved from or its loop has ended.
  size_t queued_bytes() const;
  size_t high_water_bytes() const;
  // Memory for these bytes: at most twice the limit, but for a message above
  // it. Aborts as above.
  size_t memory_bytes() const;

 private:
  std::unique_ptr<internal::WriteBuffer> buffer_;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_BUFFERED_WRITER_H_
