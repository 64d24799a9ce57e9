// SPDX-License-Identifier: Apache-2.0
//
// The pacing of a closed loop: a connection asks again when it has replies.

#ifndef RINGWAY_TOOLS_LOADGEN_CLOSED_LOOP_CLOSED_SOURCES_H_
#define RINGWAY_TOOLS_LOADGEN_CLOSED_LOOP_CLOSED_SOURCES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/tools/loadgen/closed_loop/meter.h"
#include "ringway/tools/loadgen/connection/in_flight.h"
#include "ringway/tools/loadgen/connection/request_source.h"

namespace ringway::loadgen {

// What both have in common: the end of the run.
class ClosedSource : public RequestSource {
 public:
  // No more requests come.
  void End() {
    ending_ = true;
    due().NotifyOne();
  }
  bool ended() const final { return ending_; }
  void OnStray() final { meter_.RecordStray(); }
  void OnReopened() final { meter_.RecordReopened(); }

 protected:
  // For connection number `index`; `depth` is positive. The others must outlive
  // it.
  ClosedSource(const Clock& clock, int index, size_t depth, Meter& meter)
      : clock_(clock), index_(index), depth_(depth), meter_(meter) {}

  void RecordError(const absl::Status& why) {
    meter_.RecordError(index_, why, clock_.Now());
  }

  const Clock& clock_;
  const int index_;
  const size_t depth_;
  Meter& meter_;

 private:
  bool ending_ = false;
};

// Writes `depth` requests at once, waits for all the replies, and writes the
// next: for protocols that answer in order.
class BatchSource final : public ClosedSource {
 public:
  BatchSource(const Clock& clock, int index, size_t depth, Meter& meter)
      : ClosedSource(clock, index, depth, meter) {}

  bool in_turns() const override { return true; }
  size_t Take(size_t most) override {
    if (unanswered_ > 0 || ended()) return 0;
    // A batch follows the last reply at once, so one clock reading serves both.
    written_ = replied_.nanoseconds() > 0 ? replied_ : clock_.Now();
    unanswered_ = std::min(most, depth_);
    return unanswered_;
  }
  void OnOldestAnswered(size_t n) override {
    replied_ = clock_.Now();
    unanswered_ -= n;
    meter_.RecordReplies(written_, replied_, n);
  }
  void OnAnswered(uint64_t) override { OnOldestAnswered(1); }
  void OnFailed(uint64_t, const absl::Status& why) override {
    replied_ = clock_.Now();
    --unanswered_;
    RecordError(why);
  }
  void OnLost(uint64_t) override {
    --unanswered_;
    meter_.RecordLost();
  }

 private:
  size_t unanswered_ = 0;
  MonotonicTime written_;  // when writing of the batch began
  MonotonicTime replied_;  // when the last reply came; zero: none since long
};

// Keeps `depth` requests in flight: each reply is followed by a request.
class WindowSource final : public ClosedSource {
 public:
  WindowSource(const Clock& clock, int index, size_t depth, Meter& meter)
      : ClosedSource(clock, index, depth, meter) {}

  bool in_turns() const override { return false; }
  size_t Take(size_t most) override;
  void OnOldestAnswered(size_t n) override;
  void OnAnswered(uint64_t number) override;
  void OnFailed(uint64_t number, const absl::Status& why) override;
  void OnLost(uint64_t number) override;

 private:
  InFlight<MonotonicTime> in_flight_;  // when each was taken
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CLOSED_LOOP_CLOSED_SOURCES_H_
