// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/phases.h"

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace ringway::loadgen {
namespace {

// A day: what fits into nanoseconds many times.
constexpr absl::Duration kLongestPhase = absl::Hours(24);

absl::StatusOr<Phase> ParsePhase(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('x', 1));
  uint64_t rate = 0;
  absl::Duration length;
  if (absl::SimpleAtoi(parts.first, &rate) && rate >= 1 &&
      rate <= kHighestRate && absl::ParseDuration(parts.second, &length) &&
      length > absl::ZeroDuration() && length <= kLongestPhase) {
    return Phase(rate, length);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "the phase '", text,
      "' is not RATExDURATION such as 20000x5s, with 1 to ", kHighestRate,
      " requests a second and at most ", absl::FormatDuration(kLongestPhase)));
}

}  // namespace

absl::StatusOr<std::vector<Phase>> ParsePhases(std::string_view text) {
  std::vector<Phase> phases;
  for (const absl::string_view part :
       absl::StrSplit(absl::string_view(text.data(), text.size()), ',')) {
    absl::StatusOr<Phase> phase = ParsePhase(part);
    if (!phase.ok()) return phase.status();
    phases.push_back(*phase);
  }
  if (phases.size() > kMostPhases) {
    return absl::InvalidArgumentError(
        absl::StrCat(phases.size(), " phases are more than ", kMostPhases));
  }
  return phases;
}

std::string PhaseText(const Phase& phase) {
  return absl::StrCat(phase.per_second, "x",
                      absl::FormatDuration(phase.length));
}

}  // namespace ringway::loadgen
