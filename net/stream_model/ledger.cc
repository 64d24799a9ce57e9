// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_model/ledger.h"

#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/stream_model/content.h"

namespace ringway::net::model {

void Failures::Add(std::string failure) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (kept_.size() < kMaxKept) {
    kept_.push_back(std::move(failure));
  } else {
    ++n_dropped_;
  }
}

std::vector<std::string> Failures::Taken() const {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> all = kept_;
  if (n_dropped_ > 0) all.push_back(absl::StrCat("and ", n_dropped_, " more"));
  return all;
}

Direction::Direction(Ledger& ledger, std::string name, uint64_t key,
                     EndRules rules)
    : ledger_(ledger), name_(std::move(name)), key_(key), rules_(rules) {}

std::string Direction::Describe() const {
  const uint32_t ends = ends_;
  return absl::StrCat(
      name_, ": offered ", offered_.load(), ", accepted ", sent_.load(),
      ", received ", received_.load(), (ends & kShutdown) ? ", shut down" : "",
      (ends & kClosed) ? ", closed" : "", (ends & kReset) ? ", reset" : "",
      interrupted_ ? ", a write was cut off" : "",
      send_failed_ ? ", a write failed" : "",
      left_ ? ", the receiver is gone" : "",
      outcome_ == Outcome::kNone    ? ""
      : outcome_ == Outcome::kError ? ", ended with an error"
                                    : ", ended");
}

void Direction::Fail(std::string_view what) const {
  ledger_.failures.Add(absl::StrCat(what, "\n    ", Describe()));
}

void Direction::WillSend(size_t n_bytes) {
  offered_ += n_bytes;
  ++ledger_.progress;
}

void Direction::Sent() {
  sent_ = offered_.load();
  ++ledger_.progress;
}

void Direction::WillEnd(SenderEnd end) {
  ends_ |= end;
  ++ledger_.progress;
}

void Direction::Interrupt() {
  interrupted_ = true;
  may_know_of_reset_ = true;
  ++ledger_.progress;
}

void Direction::SendFailed(const absl::Status& status) {
  ++ledger_.progress;
  send_failed_ = true;
  interrupted_ = true;
  if (!judged()) return;
  const int errnum = ErrnoOf(status);
  // ENOTCONN comes from a shutdown, after which the reset is still to be
  // reported.
  const bool cut = rules_.shows_cuts && absl::IsDataLoss(status);
  if (errnum == EPIPE || errnum == ECONNRESET || cut) {
    may_know_of_reset_ = true;
  } else if (errnum != ENOTCONN) {
    Fail(absl::StrCat("a write failed: ", status.ToString()));
  }
  if (!left_)
    Fail(absl::StrCat("a write failed beside a peer that is there: ",
                      status.ToString()));
}

void Direction::Received(std::span<const std::byte> bytes) {
  ++ledger_.progress;
  const uint64_t at = received_;
  received_ += bytes.size();
  if (at + bytes.size() > offered_)
    Fail(absl::StrCat(bytes.size(), " bytes arrived, more than were sent"));
  CheckStill(bytes, at);
}

void Direction::CheckStill(std::span<const std::byte> bytes, uint64_t offset) {
  const std::optional<size_t> wrong = FirstDifference(bytes, key_, offset);
  if (!wrong.has_value()) return;
  Fail(absl::StrCat("byte ", offset + *wrong, " (", *wrong, " of ",
                    bytes.size(), ") is ", static_cast<int>(bytes[*wrong]),
                    " and not ",
                    static_cast<int>(ByteAt(key_, offset + *wrong))));
}

void Direction::Conclude(Outcome outcome) {
  ++ledger_.progress;
  outcome_ = outcome;
}

void Direction::ReachedEnd() {
  if (!judged()) return Conclude(Outcome::kEnd);
  const uint32_t ends = ends_;
  const bool may_end = (ends & (kShutdown | kClosed)) ||
                       (!rules_.shows_resets && !rules_.shows_cuts);
  if (ends == 0) {
    Fail("an end of stream that its sender has not made");
  } else if (may_end && complete()) {
    return Conclude(Outcome::kEnd);
  } else if (rules_.shows_resets && !rules_.shows_cuts &&
             (ends & (kClosed | kReset))) {
    // It must be a reset, which a write of this end may have reported
    // instead.
    return Conclude(Outcome::kEndAfterReset);
  } else {
    Fail("an end of stream before its last byte");
  }
  Conclude(Outcome::kEnd);
}

void Direction::ReceiveFailed(const absl::Status& status) {
  Conclude(Outcome::kError);
  if (!judged()) return;
  const bool cut = rules_.shows_cuts && absl::IsDataLoss(status);
  if ((!cut && ErrnoOf(status) != ECONNRESET) || !(ends_ & (kClosed | kReset)))
    Fail(absl::StrCat("a receive failed beside a peer that is there: ",
                      status.ToString()));
  // Bytes that a Unix socket has accepted are in its peer's queue.
  if (!rules_.shows_resets && !complete()) Fail("a reset before the last byte");
}

void Direction::CheckOutcome(const Direction& back) const {
  if (!judged()) return;
  if (outcome_ == Outcome::kNone && !left_)
    Fail("its receiver has seen neither an end nor an error");
  // The kernel reports a reset once, to the first call.
  if (outcome_ == Outcome::kEndAfterReset && !back.may_know_of_reset_)
    Fail(absl::StrCat("a reset was reported to nobody, and as an end of stream",
                      "\n    ", back.Describe()));
}

}  // namespace ringway::net::model
