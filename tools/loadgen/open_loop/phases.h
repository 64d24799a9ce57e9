// SPDX-License-Identifier: Apache-2.0
//
// Phases: how many requests a second an open loop offers, one rate after
// another.

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PHASES_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PHASES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ringway::loadgen {

struct Phase {
  Phase(uint64_t rate, absl::Duration time) : per_second(rate), length(time) {}

  uint64_t per_second;  // 1 to kHighestRate
  absl::Duration length;
};

inline constexpr uint64_t kHighestRate = 10'000'000;
inline constexpr size_t kMostPhases = 1'000;

// Parses "20000x5s,180000x1m": rates and durations, in order.
//
// Errors: InvalidArgument with the part that is wrong and what it should be.
absl::StatusOr<std::vector<Phase>> ParsePhases(std::string_view text);

// The same as text.
std::string PhaseText(const Phase& phase);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PHASES_H_
