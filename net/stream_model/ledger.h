// SPDX-License-Identifier: Apache-2.0
//
// Direction: records the sender's steps and the receiver's observations of
// one direction of a stream, and checks that they are consistent.
//
// A sender records each step before it takes it, so that all effects that the
// receiver may see are already allowed. The rules are those of tcp_stream.h:
//
//   bytes    each has the value of its position, and only offered bytes
//            arrive;
//   the end  comes only if the sender has ended the direction, after all bytes
//            that the kernel had accepted;
//   a reset  is reported by the receive or by a write of the same end, not as
//            an end; it comes only from a peer that has closed;
//   a cut    of a TLS stream is reported as such, and never as an end.

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

// The failures of a round. Threads: any.
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

// What a round came to.
struct RoundResult {
  std::vector<std::string> failures;  // empty: none
  uint64_t n_stopped = 0;             // calls that their programs stopped
};

// State shared by the directions of one round. Threads: any.
struct Ledger {
  RoundResult Result() const { return {failures.Taken(), stopped}; }

  Failures failures;
  // Counts all steps, for the watchdog.
  std::atomic<uint64_t> progress{0};
  // Calls that their programs stopped, by a cancel or a deadline.
  std::atomic<uint64_t> stopped{0};
  // Workers end while their tasks run: from now on streams may be cut off,
  // and only bytes are checked.
  std::atomic<bool> cut_short{false};
};

// How a sender ends its direction, in any combination.
enum SenderEnd : uint32_t {
  kShutdown = 1,  // ShutdownWrite()
  kClosed = 2,    // dropped or closed: a reset if it had unread input
  kReset = 4,     // Reset()
};

// What the receiver is told of how its sender ends.
struct EndRules {
  // True for TCP. A Unix socket's peer sees a Reset() as a close.
  bool shows_resets = true;
  // True for TLS: an end without a close_notify is DataLoss.
  bool shows_cuts = false;
};

class Direction {
 public:
  Direction(Ledger& ledger, std::string name, uint64_t key, EndRules rules);

  const std::string& name() const { return name_; }
  uint64_t key() const { return key_; }
  std::string Describe() const;

  // --- The sender's steps.

  // The position of the next byte to offer.
  uint64_t offered() const { return offered_; }
  // Before a write of the next `n_bytes`.
  void WillSend(size_t n_bytes);
  // The last `n_bytes` offered are not sent after all.
  void TakeBack(size_t n_bytes) { offered_ -= n_bytes; }
  // The kernel has accepted all offered bytes.
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
  // Checks that `bytes`, received at `offset`, are unchanged.
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
  const EndRules rules_;

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
