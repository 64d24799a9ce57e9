// SPDX-License-Identifier: Apache-2.0
//
// ReadBuffer: what a BufferedReader has received and not consumed. ReadGoal:
// how much of it a task waits for.
//
// The bytes are in two places, in this order: copied ones, and those that are
// still in a lent buffer. Only a message that arrives in several deliveries is
// copied, and only up to its end. A task that waits holds no lent buffer,
// so that thousands of half-sent messages take nothing from other connections.

#ifndef RINGWAY_NET_SOCKET_READ_BUFFER_H_
#define RINGWAY_NET_SOCKET_READ_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/net/received_buffer.h"

namespace ringway::net::internal {

class ReadBuffer {
 public:
  static constexpr size_t kNotFound = SIZE_MAX;

  // `limit_bytes` is at least 1 (checked).
  explicit ReadBuffer(size_t limit_bytes);

  size_t size() const { return copied().size() + lent_.size(); }
  bool ended() const { return ended_; }
  size_t limit_bytes() const { return limit_bytes_; }

  // The bytes that are contiguous already. Empty only if there are none.
  std::span<const std::byte> Front() const;

  // Makes the first `n` bytes, at most size(), contiguous; false without
  // memory for it.
  bool Gather(size_t n);
  // Where the first `delimiter` that ends behind `from` ends, or kNotFound.
  size_t EndOf(std::string_view delimiter, size_t from) const;

  // Forgets the first `n` bytes, at most size() (checked).
  void Consume(size_t n);
  // The same when the next call begins: until then they can be read.
  void ConsumeLater(size_t n) { n_taken_ = n; }
  void ForgetTaken() {
    if (n_taken_ != 0) Consume(std::exchange(n_taken_, 0));
  }
  size_t untaken_bytes() const { return size() - n_taken_; }
  size_t memory_bytes() const { return copied_.capacity(); }

  // Copies up to `to.size()` bytes, and forgets them.
  size_t MoveTo(std::span<std::byte> to);

  // Gives the lent buffer back after copying what is in it; false without
  // memory, having changed nothing.
  bool StopBorrowing();
  // The next bytes; empty at the end of the stream. Requires that nothing is
  // borrowed.
  void Add(ReceivedBuffer bytes);
  // Puts bytes before all others. False without memory.
  bool PutBack(std::span<const std::byte> bytes);

 private:
  std::span<const std::byte> copied() const {
    return std::span(copied_).subspan(n_consumed_);
  }
  bool Append(std::span<const std::byte> bytes);

  size_t limit_bytes_;
  std::vector<std::byte> copied_;
  size_t n_consumed_ = 0;  // of `copied_`
  ReceivedBuffer lent_;
  size_t n_taken_ = 0;
  bool ended_ = false;
};

class ReadGoal : public ReceiveConsumer {
 public:
  ReadGoal(const ReadGoal&) = delete;
  ReadGoal& operator=(const ReadGoal&) = delete;

 protected:
  // At least `n_bytes`, contiguous.
  ReadGoal(ReadBuffer& buffer, size_t n_bytes)
      : buffer_(buffer), n_bytes_(n_bytes) {}
  // Everything up to the end of `delimiter`, which is not empty (checked), at
  // most `n_bytes`, contiguous.
  ReadGoal(ReadBuffer& buffer, std::string_view delimiter, size_t n_bytes);
  // As many bytes as `to` has, copied there.
  ReadGoal(ReadBuffer& buffer, std::span<std::byte> to)
      : buffer_(buffer), n_bytes_(to.size()), to_(to), copies_(true) {}
  ~ReadGoal() = default;

  // With what is buffered. False if more has to arrive.
  bool Try();
  // Before waiting. False without memory for it.
  bool PrepareToWait();
  bool Take(ReceivedBuffer bytes) noexcept final;

  // The end of the read after `received`, that of waiting: OK also when the
  // stream has ended.
  absl::Status End(const absl::Status& received);
  // With a delimiter, after End(): the text up to its end, which is consumed
  // later; empty at the end of the stream.
  absl::StatusOr<std::string_view> TakeText(const absl::Status& end);

  ReadBuffer& buffer_;

 private:
  enum class Outcome : uint8_t { kMore, kReached, kEnded, kTooLong, kNoMemory };

  Outcome Attempt();
  absl::Status TooLong() const;

  const size_t n_bytes_;
  const std::string_view delimiter_;
  const std::span<std::byte> to_;
  const bool copies_ = false;
  size_t n_copied_ = 0;  // into `to_`
  size_t n_scanned_ = 0;
  size_t found_ = 0;
  Outcome outcome_ = Outcome::kMore;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_SOCKET_READ_BUFFER_H_
