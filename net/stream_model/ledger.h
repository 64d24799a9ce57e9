// SPDX-License-Identifier: Apache-2.0
//
// Direction: what the sender of one direction of a stream has done and what its
// receiver has seen, and whether the one can come of the other.
//
// A sender tells of each step before it takes it, so that whatever the receiver
// may see of it is allowed already. The rules are those of tcp_stream.h:
//
//   bytes    each is the one that belongs at its place, and none arrives that
//            was not offered;
//   the end  comes only if the sender has ended the direction, and behind
//            everything that the kernel had accepted;
//   a reset  is reported, by the receive or by a write of the same end, and is
//            no end; it comes only from a peer that is gone.

#ifndef RINGWAY_NET_STREAM_MODEL_LEDGER_H_
#define RINGWAY_NET_STREAM_MODEL_LEDGER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace ringway::net::model {

// What has gone wrong in a round. Threads: any.
class Failures {
 public:
  // The first few are kept, and all are counted.
  void Add(std::string failure);
  std::vector<std::string> Taken() const;

 private:
  static constexpr size_t kMaxKept = 16;

  mutable std::mutex mutex_;
  std::vector<std::string> kept_;
  size_t n_dropped_ = 0;
};

// What the directions of one round share. Threads: any.
struct Ledger {
  Failures failures;
  // Counts every step of anybody: what a watchdog looks at.
  std::atomic<uint64_t> progress{0};
  // Workers are ending under their tasks: from now on anything may be cut off,
  // and only bytes are judged.
  std::atomic<bool> cut_short{false};
};

// How a sender ends its direction, in any combination.
enum SenderEnd : uint32_t {
  kShutdown = 1,  // ShutdownWrite()
  kClosed = 2,    // dropped or closed: a reset if it had unread input
  kReset = 4,     // Reset()
};

class Direction {
 public:
  // `shows_resets`: of TCP. A Unix socket's peer sees a Reset() as a close.
  Direction(Ledger& ledger, std::string name, uint64_t key, bool shows_resets);

  const std::string& name() const { return name_; }
  uint64_t key() const { return key_; }
  std::string Describe() const;

  // --- The sender's steps.

  // Where the next byte belongs that is offered.
  uint64_t offered() const { return offered_; }
  // Before a write of the next `n_bytes`.
  void WillSend(size_t n_bytes);
  // The last `n_bytes` offered are not sent after all.
  void TakeBack(size_t n_bytes) { offered_ -= n_bytes; }
  // Everything offered has been accepted by the kernel.
  void Sent();
  // A write was cancelled: it may have sent any part, and seen a reset.
  void Interrupt();
  // A write, or a shutdown, ended with an error that is not a cancel.
  void SendFailed(const absl::Status& status);
  // Before the sender ends the direction.
  void WillEnd(SenderEnd end);

  bool interrupted() const { return interrupted_; }

  // --- The receiver's.

  uint64_t received() const { return received_; }
  void Received(std::span<const std::byte> bytes);
  // `bytes`, which were received at `offset`, still are what they were.
  void CheckStill(std::span<const std::byte> bytes, uint64_t offset);
  void ReachedEnd();
  void ReceiveFailed(const absl::Status& status);
  // Before the receiver drops its stream.
  void WillLeave() { left_ = true; }

  // --- When both have finished.

  // `back` is the other direction of the stream: its sender is this one's
  // receiver.
  void CheckOutcome(const Direction& back) const;

 private:
  enum class Outcome : uint32_t {
    kNone,
    kEnd,
    kEndAfterReset,  // allowed only if the reset was reported to a write
    kError,
  };

  void Fail(std::string_view what) const;
  void Conclude(Outcome outcome);
  bool judged() const { return !ledger_.cut_short; }
  bool complete() const { return received_ >= sent_ && received_ <= offered_; }

  Ledger& ledger_;
  const std::string name_;
  const uint64_t key_;
  const bool shows_resets_;

  std::atomic<uint64_t> offered_{0};
  std::atomic<uint64_t> sent_{0};
  std::atomic<uint32_t> ends_{0};
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> send_failed_{false};
  std::atomic<bool> may_know_of_reset_{false};

  std::atomic<uint64_t> received_{0};
  std::atomic<bool> left_{false};
  std::atomic<Outcome> outcome_{Outcome::kNone};
};

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_LEDGER_H_
