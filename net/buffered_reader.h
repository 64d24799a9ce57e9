// SPDX-License-Identifier: Apache-2.0
//
// BufferedReader: reads lines, messages of a known length, or whatever a parser
// needs next.
//
//   net::BufferedReader in(stream.reader());
//   while (true) {
//     absl::StatusOr<std::optional<std::string_view>> line =
//         co_await in.ReadLine(/*limit_bytes=*/8192);
//     if (!line.ok()) co_return line.status();
//     if (!*line) co_return absl::OkStatus();  // the peer has finished
//     Handle(**line);
//   }
//
// A parser of its own says how many bytes it needs:
//
//   absl::StatusOr<std::span<const std::byte>> header = co_await in.Fill(4);
//   if (!header.ok()) co_return header.status();
//   if (header->size() < 4) ...  // the stream ended
//   const size_t n_bytes = ParseLength(*header);
//   in.Consume(4);
//
// Views are into the receive buffer where a message arrived in one piece, as
// most do; the bytes of others are copied together. They are valid until the
// next call. A reader that waits holds no buffer that others could need, and an
// idle one no memory.

#ifndef RINGWAY_NET_BUFFERED_READER_H_
#define RINGWAY_NET_BUFFERED_READER_H_

#include <coroutine>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/structured/awaiter_of.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/net/socket/read_buffer.h"
#include "ringway/net/stream_concepts.h"

namespace ringway::net {

namespace internal {

// Waits until `source` has delivered what the goal needs, unless that is there.
template <ByteSource S>
class BufferedWait : public ReadGoal {
 public:
  bool await_ready() { return ReadGoal::Try(); }

  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    waited_ = PrepareToWait();
    if (!waited_) return leaf.promise().task().SkipWait(leaf);
    return received_.await_suspend(leaf);
  }

 protected:
  template <typename... Goal>
  BufferedWait(S& source, ReadBuffer& buffer, const Goal&... goal)
      : ReadGoal(buffer, goal...), received_(source.ReceiveUntil(*this)) {}
  ~BufferedWait() = default;

  absl::Status End() {
    return ReadGoal::End(waited_ ? received_.await_resume() : absl::OkStatus());
  }

 private:
  using Received =
      decltype(std::declval<S&>().ReceiveUntil(std::declval<ReadGoal&>()));

  Received received_;
  bool waited_ = false;
};

}  // namespace internal

// Returned by BufferedReader::Fill().
template <ByteSource S>
class [[nodiscard]] FillOp final : public internal::BufferedWait<S> {
 public:
  FillOp(S& source, internal::ReadBuffer& buffer, size_t n_bytes)
      : internal::BufferedWait<S>(source, buffer, n_bytes) {}

  absl::StatusOr<std::span<const std::byte>> await_resume() {
    if (absl::Status end = this->End(); !end.ok()) return end;
    return this->buffer_.Front();
  }
};

// Returned by BufferedReader::ReadUntil().
template <ByteSource S>
class [[nodiscard]] ReadUntilOp final : public internal::BufferedWait<S> {
 public:
  ReadUntilOp(S& source, internal::ReadBuffer& buffer,
              std::string_view delimiter, size_t limit_bytes)
      : internal::BufferedWait<S>(source, buffer, delimiter, limit_bytes) {}

  absl::StatusOr<std::string_view> await_resume() {
    return this->TakeText(this->End());
  }
};

// Returned by BufferedReader::ReadLine().
template <ByteSource S>
class [[nodiscard]] ReadLineOp final : public internal::BufferedWait<S> {
 public:
  ReadLineOp(S& source, internal::ReadBuffer& buffer, size_t limit_bytes)
      : internal::BufferedWait<S>(source, buffer, std::string_view("\n"),
                                  limit_bytes) {}

  absl::StatusOr<std::optional<std::string_view>> await_resume() {
    absl::StatusOr<std::string_view> text = this->TakeText(this->End());
    if (!text.ok()) return text.status();
    if (text->empty()) return std::nullopt;
    text->remove_suffix(text->ends_with("\r\n") ? 2 : 1);
    return *text;
  }
};

// Returned by BufferedReader::ReadExactly().
template <ByteSource S>
class [[nodiscard]] ReadExactlyOp final : public internal::BufferedWait<S> {
 public:
  ReadExactlyOp(S& source, internal::ReadBuffer& buffer,
                std::span<std::byte> to)
      : internal::BufferedWait<S>(source, buffer, to) {}

  absl::Status await_resume() { return this->End(); }
};

// Returned by BufferedReader::Read().
template <ByteSource S>
class [[nodiscard]] BufferedReadOp {
 public:
  BufferedReadOp(S& source, internal::ReadBuffer& buffer,
                 std::span<std::byte> to)
      : buffer_(buffer), to_(to), read_(source.Read(to)) {}

  bool await_ready() {
    n_moved_ = buffer_.MoveTo(to_);
    return n_moved_ > 0 || read_.await_ready();
  }
  template <TaskPromise P>
  auto await_suspend(std::coroutine_handle<P> leaf) {
    return read_.await_suspend(leaf);
  }
  absl::StatusOr<size_t> await_resume() {
    if (n_moved_ > 0) return n_moved_;
    return read_.await_resume();
  }

 private:
  internal::ReadBuffer& buffer_;
  const std::span<std::byte> to_;
  size_t n_moved_ = 0;
  decltype(std::declval<S&>().Read(std::declval<std::span<std::byte>>())) read_;
};

// Reads from `S`, such as a StreamReader, whose end is as for any reader: once
// the stream is closed, calls return FailedPrecondition. While this exists, do
// not read from the stream in any other way: bytes would be out of order.
//
// All reads: may be awaited with WithTimeout(). A read that fails, is cancelled
// or exceeds its deadline loses nothing: the next one starts with the same
// bytes. One at a time; an operation must be awaited where it is made. May be
// moved between reads.
//
// Errors:       those of the stream, such as Unavailable (ECONNRESET).
//               ResourceExhausted: a limit, or no memory.
// Threads:      the stream's loop's only (checked).
// Cancellation: as TcpStream::Receive().
// Cost:         no allocation, and no wait, for what has arrived in one piece.
template <ByteSource S>
class BufferedReader {
 public:
  static constexpr size_t kDefaultLimitBytes = size_t{1} << 20;

  // Views have at most `limit_bytes`, at least 1 (checked). That bounds the
  // memory: bytes beyond them stay in the receive buffers, then in the kernel,
  // until the peer has to wait. A peer that announces a long message gets
  // memory only for what it sends.
  explicit BufferedReader(S source, size_t limit_bytes = kDefaultLimitBytes)
      : source_(std::move(source)), buffer_(limit_bytes) {}

  // Waits until at least `n_bytes` are buffered.
  //
  // Result:    all that is contiguous: at least `n_bytes`, or less if the
  //            stream has ended. Consume() what you have used. Valid until the
  //            next call.
  // Errors:    ResourceExhausted beyond the limit of the constructor.
  FillOp<S> Fill(size_t n_bytes) {
    buffer_.ForgetTaken();
    return FillOp<S>(source_, buffer_, n_bytes);
  }

  // Reads up to and including `delimiter`, which is not empty (checked).
  //
  // Result:    the text with the delimiter, valid until the next call; empty
  //            if the stream has ended.
  // Errors:    ResourceExhausted if the first `limit_bytes` contain no whole
  //            delimiter. OutOfRange if the stream ended within the text, which
  //            Peek() returns.
  // Ownership: `delimiter` must outlive the await.
  ReadUntilOp<S> ReadUntil(std::string_view delimiter, size_t limit_bytes) {
    buffer_.ForgetTaken();
    return ReadUntilOp<S>(source_, buffer_, delimiter, limit_bytes);
  }

  // Reads a line that ends with "\n" or "\r\n", which count for the limit.
  //
  // Result: the line without its end, valid until the next call; none if the
  //         stream has ended.
  // Errors: as ReadUntil().
  ReadLineOp<S> ReadLine(size_t limit_bytes) {
    buffer_.ForgetTaken();
    return ReadLineOp<S>(source_, buffer_, limit_bytes);
  }

  // Fills all of `to`.
  //
  // Errors:    OutOfRange if the stream ends before; what it sent stays.
  // Ownership: `to` must outlive the await.
  ReadExactlyOp<S> ReadExactly(std::span<std::byte> to) {
    buffer_.ForgetTaken();
    return ReadExactlyOp<S>(source_, buffer_, to);
  }

  // As TcpStream::Read(), with what is buffered first. If nothing is, the bytes
  // are received where `to` points.
  BufferedReadOp<S> Read(std::span<std::byte> to) {
    buffer_.ForgetTaken();
    return BufferedReadOp<S>(source_, buffer_, to);
  }

  // What is buffered and contiguous, valid until the next call. Fill() with a
  // byte more than that makes more of it contiguous.
  std::span<const std::byte> Peek() {
    buffer_.ForgetTaken();
    return buffer_.Front();
  }

  // Forgets the first `n_bytes`, at most buffered_bytes() (checked).
  void Consume(size_t n_bytes) {
    buffer_.ForgetTaken();
    buffer_.Consume(n_bytes);
  }

  size_t buffered_bytes() const { return buffer_.untaken_bytes(); }

  // Memory of its own, beside receive buffers.
  size_t memory_bytes() const { return buffer_.memory_bytes(); }

  // What it reads from.
  S& source() { return source_; }

 private:
  S source_;
  internal::ReadBuffer buffer_;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_BUFFERED_READER_H_
