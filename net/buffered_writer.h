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

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/net/stream_halves.h"
#include "ringway/net/writing/sink_write_buffer.h"
#include "ringway/net/writing/write_buffer.h"

namespace ringway::net {

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
  // The same for any other sink, such as an encrypted stream's writing half or
  // a FileSink. A task per batch writes to it, so this must be made, and used,
  // on the thread of a running executor (checked); room becomes free when a
  // whole batch has been written. Errors are those of `sink`, and
  // ResourceExhausted if there can be no more tasks, Internal if it throws.
  template <ByteSink W>
  requires(!std::same_as<W, StreamWriter>) explicit BufferedWriter(
      W sink, size_t limit_bytes = kDefaultLimit)
      : buffer_(std::make_unique<internal::SinkWriteBuffer<W>>(
            CurrentLoop(), std::move(sink), limit_bytes)) {}
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
