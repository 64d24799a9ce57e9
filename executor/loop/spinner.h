// SPDX-License-Identifier: Apache-2.0
//
// Spinner: decides whether a loop without work spins before it blocks.
//
// Waking a sleeping processor takes 15 to 21 us on a virtual machine, longer
// than most replies take to arrive. So polling memory for a few dozen
// microseconds more than doubles the requests of one busy connection. But where
// blocking wakes cheaply it gains little and costs a processor; and with many
// connections it ends waits at the first arrival, so that batches are small and
// each request costs more. So the adaptive mode compares: while waits are short
// it blocks and spins by turns, and then does what served more.
//
//            16 waits in a row that were short on average
//     WATCH ---------------------------------------------> COMPARE
//     (blocks) <------------------------------------------ 8 phases, by turns
//        |  ^    spinning does not pay                       |        ^
//        |  |                                        it pays |        | no
//        longer |  | several spins in a row                         v        |
//        |  | ended with nothing                                      |
//        |  +----------------------------------------------- SPIN --> CHECK
//        +-------------------------------------------------> |  <---- one phase
//              16 short waits, and spinning has paid              pays blocks
//
// After each comparison or check with the same outcome twice as much time
// passes until the next one. With sparse traffic, or when idle, the loop never
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
  kAdaptive,  // spins where that serves more than blocking
  kFixed,     // spins before every block, for the lowest latency
};

// "off", "adaptive" or "fixed"; otherwise InvalidArgument.
absl::StatusOr<SpinMode> ParseSpinMode(std::string_view name);

// One thread at a time.
class Spinner {
 public:
  // The processor time that the calling thread has used.
  using CpuClock = absl::Duration (*)();
  static absl::Duration ThreadCpuTime();

  // Spins take at most `limit`, which is positive.
  Spinner(SpinMode mode, absl::Duration limit,
          CpuClock cpu_clock = &ThreadCpuTime)
      : mode_(mode), limit_(limit), cpu_clock_(cpu_clock) {}

  // True if the wait that begins at `now` should begin with a spin. Call it
  // once for each wait that may block. `work` grows with what is served.
  bool ShouldSpin(MonotonicTime now, uint64_t work);

  // Reports the outcome: `paid` if the spin ended early, with work to do.
  void OnSpun(bool paid);

  absl::Duration limit() const { return limit_; }
  uint64_t paid() const { return paid_; }
  uint64_t unpaid() const { return unpaid_; }

 private:
  // Waits that are looked at together.
  static constexpr int kRow = 16;
  // Phases take at least this time, and a row of waits.
  static constexpr absl::Duration kPhase = absl::Milliseconds(4);
  static constexpr absl::Duration kCheckPhase = absl::Milliseconds(2);
  static constexpr int kPhases = 8;  // of a comparison
  // Spinning pays if it serves this much more, by a factor which that of the
  // processor time of each does not exceed, or a little more for the same time.
  static constexpr double kGain = 1.1;
  static constexpr double kSmallGain = 1.01;
  static constexpr double kSameCpu = 1.05;
  static constexpr int kBestScore = 8;
  static constexpr int kWorstScore = -4;
  static constexpr uint32_t kFirstHold = 32;  // phases
  static constexpr uint32_t kLongestHold = 1024;
  static constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
  static constexpr absl::Duration kFirstRest = absl::Milliseconds(2);
  static constexpr absl::Duration kLongestPause = absl::Seconds(3);

  enum class State : uint8_t { kWatch, kCompare, kSpin, kCheck };

  struct Sample {
    double work = 0;
    double seconds = 0;
    double cpu_seconds = 0;
  };

  bool IsOver(MonotonicTime now) const;
  void Begin(MonotonicTime now, uint64_t work);
  void End(MonotonicTime now, uint64_t work);
  void Measure(Sample& sample, MonotonicTime now, uint64_t work) const;
  bool SpinningPays() const;
  void Watch();
  void Compare();
  void Spin(uint32_t phases);
  void Check();
  void DecideComparison();
  void DecideCheck();
  // Watches, and does nothing else until `pause` after `began_`. The next time
  // it is twice as long.
  void Pause(absl::Duration& pause);

  SpinMode mode_;
  absl::Duration limit_;
  CpuClock cpu_clock_;

  State state_ = State::kWatch;
  bool spinning_ = false;
  int score_ = 0;  // of the spins

  // The row or the phase in progress.
  int waits_ = 0;
  MonotonicTime began_;
  uint64_t work_before_ = 0;
  absl::Duration cpu_before_;

  int phases_done_ = 0;  // of the comparison
  Sample spun_;
  Sample blocked_;

  MonotonicTime paused_until_;
  bool has_paid_ = false;               // the last comparison or check said so
  absl::Duration pause_ = kFirstPause;  // if spinning does not pay
  absl::Duration rest_ = kFirstRest;    // if spins end with nothing
  uint32_t phases_left_ = 0;            // of spinning
  uint32_t hold_ = kFirstHold;

  uint64_t paid_ = 0;
  uint64_t unpaid_ = 0;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_LOOP_SPINNER_H_
