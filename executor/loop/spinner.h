// SPDX-License-Identifier: Apache-2.0
//
// Spinner: decides whether a loop without work spins before it blocks.
//
// Waking a sleeping processor takes 15 to 21 us on a virtual machine, longer
// than most replies take to arrive. So polling memory for a few dozen
// microseconds more than doubles the requests of one busy connection.
// Spinning costs processor time, so the adaptive mode spins only while that
// is worthwhile:
//
//            16 waits in a row that were short on average
//     BLOCK ---------------------------------------------> SPIN
//           <---------------------------------------------
//            spins that ended with nothing outweigh the others
//
// and after each unsuccessful attempt twice as many such rows must pass
// before the next one. With sparse traffic, or when idle, the loop never
// spins.

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
  kAdaptive,  // spins while recent spins were successful
  kFixed,     // spins before every block, for the lowest latency
};

// "off", "adaptive" or "fixed"; otherwise InvalidArgument.
absl::StatusOr<SpinMode> ParseSpinMode(std::string_view name);

// One thread at a time.
class Spinner {
 public:
  // Spins take at most `limit`, which is positive.
  Spinner(SpinMode mode, absl::Duration limit) : mode_(mode), limit_(limit) {}

  // True if the wait that begins at `now` should begin with a spin. Call it
  // once for each wait that may block.
  bool ShouldSpin(MonotonicTime now);

  // Reports the outcome: `paid` if the spin ended early, with work to do.
  void OnSpun(bool paid);

  absl::Duration limit() const { return limit_; }
  uint64_t paid() const { return paid_; }
  uint64_t unpaid() const { return unpaid_; }

 private:
  // Waits that are evaluated together.
  static constexpr int kRow = 16;
  static constexpr int kBestScore = 8;
  static constexpr int kWorstScore = -4;
  static constexpr uint32_t kLongestPause = 1024;

  void Observe(MonotonicTime now);

  SpinMode mode_;
  absl::Duration limit_;

  bool spinning_ = false;
  int score_ = 0;  // of the spins, while spinning

  // While blocking: the current row.
  MonotonicTime row_began_;
  int waits_in_row_ = 0;
  uint32_t rows_to_pass_ = 0;
  uint32_t pause_ = 1;  // rows to pass after the next failure

  uint64_t paid_ = 0;
  uint64_t unpaid_ = 0;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_LOOP_SPINNER_H_
