// SPDX-License-Identifier: Apache-2.0
//
// Spinner: whether a loop that has nothing to do looks on for a moment before
// it blocks.
//
// Waking a processor that sleeps takes longer than most answers need (15 to
// 21 us on a virtual machine), so watching for them in memory for a few dozen
// microseconds gives one busy connection more than twice the requests. It costs
// the processor time it takes, so the adaptive mode does it only while it pays:
//
//            16 waits in a row that were short on average
//     BLOCK ---------------------------------------------> SPIN
//           <---------------------------------------------
//            spins that ended with nothing outweigh the others
//
// and each time spinning has not paid, twice as many such rows pass before the
// next attempt. Sparse traffic and an idle loop never get there: they cost
// nothing.

#ifndef RINGWAY_EXECUTOR_LOOP_SPINNER_H_
#define RINGWAY_EXECUTOR_LOOP_SPINNER_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway {

enum class SpinMode : uint8_t {
  kOff,       // blocks at once
  kAdaptive,  // spins while recent spins paid
  kFixed,     // spins before every block: for latency at any price
};

// "off", "adaptive" or "fixed"; otherwise InvalidArgument.
absl::StatusOr<SpinMode> ParseSpinMode(std::string_view name);

// One thread at a time.
class Spinner {
 public:
  // Spins take at most `limit`, which is positive.
  Spinner(SpinMode mode, absl::Duration limit) : mode_(mode), limit_(limit) {}

  // Whether the wait that begins at `now` is to begin with a spin. To be asked
  // once per wait that may block.
  bool ShouldSpin(MonotonicTime now);

  // What came of it: `paid` if it ended before its time.
  void OnSpun(bool paid);

  absl::Duration limit() const { return limit_; }
  uint64_t paid() const { return paid_; }
  uint64_t unpaid() const { return unpaid_; }

 private:
  // Waits that are judged together.
  static constexpr int kRow = 16;
  static constexpr int kBestScore = 8;
  static constexpr int kWorstScore = -4;
  static constexpr uint32_t kLongestPause = 1024;

  void Observe(MonotonicTime now);

  SpinMode mode_;
  absl::Duration limit_;

  bool spinning_ = false;
  int score_ = 0;  // of the spins, while spinning

  // While blocking: the row that is under way.
  MonotonicTime row_began_;
  int waits_in_row_ = 0;
  uint32_t rows_to_pass_ = 0;
  uint32_t pause_ = 1;  // rows to pass after the next failure

  uint64_t paid_ = 0;
  uint64_t unpaid_ = 0;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_LOOP_SPINNER_H_
