// SPDX-License-Identifier: Apache-2.0
//
// Arrivals: when the requests of an open loop are due, computed without a
// clock: nothing that happens meanwhile shifts them.

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_ARRIVALS_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_ARRIVALS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/core/rng.h"
#include "ringway/tools/loadgen/open_loop/phases.h"

namespace ringway::loadgen {

enum class ArrivalKind : uint8_t {
  kUniform,  // the n-th at n / rate, rounded down: the count is exact
  kPoisson,  // independent of each other, as from many users
};

// "uniform" or "poisson"; otherwise InvalidArgument.
absl::StatusOr<ArrivalKind> ParseArrivalKind(std::string_view name);
std::string_view ArrivalKindName(ArrivalKind kind);

class Arrivals {
 public:
  // `seed` determines Poisson arrivals.
  Arrivals(std::vector<Phase> phases, ArrivalKind kind, uint64_t seed)
      : Arrivals(std::move(phases), kind, seed, 0, 1) {}
  // Of the same arrivals every `every`-th, from number `first` on: those of one
  // of several threads.
  Arrivals(std::vector<Phase> phases, ArrivalKind kind, uint64_t seed,
           int first, int every);

  // False after the last arrival of the last phase.
  bool left() const { return phase_ < phases_.size(); }
  // The phase of the next arrival; the number of phases if none is left.
  size_t phase() const { return phase_; }
  // The next arrival, in nanoseconds since the first phase began: within its
  // phase's time. Requires left().
  int64_t at_ns() const { return phase_begin_ns_ + offset_ns_; }

  // Goes on to the arrival after that. Requires left().
  //
  // Cost: a few additions; for Poisson arrivals a logarithm; for those that
  //       are left out, too.
  void Advance();

 private:
  // Goes to the first arrival of phase `phase_`, or of a later one.
  void EnterPhase();
  void LeavePhase();
  void Step();
  void Skip(int n);

  const std::vector<Phase> phases_;
  const ArrivalKind kind_;
  const int every_;
  Rng rng_;
  size_t phase_ = 0;
  int64_t phase_begin_ns_ = 0;
  int64_t phase_length_ns_ = 0;
  int64_t offset_ns_ = 0;    // in the phase
  uint64_t remainder_ = 0;   // uniform: nanoseconds times the rate
  double exact_offset_ = 0;  // Poisson: offset_ns_ before rounding
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_ARRIVALS_H_
