// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/arrivals.h"

#include <cmath>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "ringway/core/check.h"

namespace ringway::loadgen {
namespace {

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;

// Between 0 and 1, without 0.
double NonZeroFraction(Rng& rng) {
  constexpr double kTwoTo53 = 9007199254740992.0;
  return static_cast<double>((rng.Next() >> 11) + 1) / kTwoTo53;
}

}  // namespace

absl::StatusOr<ArrivalKind> ParseArrivalKind(std::string_view name) {
  for (const ArrivalKind kind : {ArrivalKind::kUniform, ArrivalKind::kPoisson})
    if (name == ArrivalKindName(kind)) return kind;
  return absl::InvalidArgumentError(absl::StrCat(
      "arrivals are uniform or poisson, not '", std::string(name), "'"));
}

std::string_view ArrivalKindName(ArrivalKind kind) {
  return kind == ArrivalKind::kUniform ? "uniform" : "poisson";
}

Arrivals::Arrivals(std::vector<Phase> phases, ArrivalKind kind, uint64_t seed,
                   int first, int every)
    : phases_(std::move(phases)), kind_(kind), every_(every), rng_(seed) {
  EnterPhase();
  Skip(first);
}

void Arrivals::Advance() {
  RINGWAY_CHECK(left(), "Advance() beyond the last arrival");
  Skip(every_);
}

void Arrivals::Skip(int n) {
  for (; n > 0 && left(); --n) {
    Step();
    if (offset_ns_ < phase_length_ns_) continue;
    LeavePhase();
    EnterPhase();
  }
}

void Arrivals::EnterPhase() {
  for (; left(); LeavePhase()) {
    phase_length_ns_ = absl::ToInt64Nanoseconds(phases_[phase_].length);
    offset_ns_ = 0;
    remainder_ = 0;
    exact_offset_ = 0;
    if (kind_ == ArrivalKind::kPoisson) Step();
    if (offset_ns_ < phase_length_ns_) return;
  }
}

void Arrivals::LeavePhase() {
  phase_begin_ns_ += phase_length_ns_;
  ++phase_;
}

void Arrivals::Step() {
  const uint64_t rate = phases_[phase_].per_second;
  if (kind_ == ArrivalKind::kPoisson) {
    exact_offset_ -= std::log(NonZeroFraction(rng_)) *
                     static_cast<double>(kNanosecondsPerSecond) /
                     static_cast<double>(rate);
    offset_ns_ = static_cast<int64_t>(exact_offset_);
    return;
  }
  offset_ns_ += static_cast<int64_t>(kNanosecondsPerSecond / rate);
  remainder_ += kNanosecondsPerSecond % rate;
  if (remainder_ >= rate) {
    remainder_ -= rate;
    ++offset_ns_;
  }
}

}  // namespace ringway::loadgen
