// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/loop/spinner.h"

#include <time.h>

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace ringway {

absl::StatusOr<SpinMode> ParseSpinMode(std::string_view name) {
  if (name == "off") return SpinMode::kOff;
  if (name == "adaptive") return SpinMode::kAdaptive;
  if (name == "fixed") return SpinMode::kFixed;
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown spin mode \"", name, "\": expected off, adaptive or fixed"));
}

absl::Duration Spinner::ThreadCpuTime() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

bool Spinner::ShouldSpin(MonotonicTime now, uint64_t work) {
  if (mode_ != SpinMode::kAdaptive) return mode_ == SpinMode::kFixed;
  if (waits_ == 0) {
    Begin(now, work);
  } else if (waits_ >= kRow &&
             (state_ == State::kWatch || now - began_ >= kPhase)) {
    End(now, work);
    Begin(now, work);
  }
  ++waits_;
  return spinning_;
}

void Spinner::Begin(MonotonicTime now, uint64_t work) {
  waits_ = 0;
  began_ = now;
  work_before_ = work;
  if (state_ == State::kCompare) cpu_before_ = cpu_clock_();
}

// A wait of up to twice the spin limit counts as short: more than half of it
// may be the wake-up of two processors, which a spin saves.
void Spinner::End(MonotonicTime now, uint64_t work) {
  const bool was_short = now - began_ <= 2 * waits_ * limit_;
  switch (state_) {
    case State::kWatch:
      if (was_short && now >= next_comparison_) Compare();
      return;
    case State::kCompare: {
      if (!was_short) return Watch();
      Sample& sample = spinning_ ? spun_ : blocked_;
      sample.work += static_cast<double>(work - work_before_);
      sample.seconds += absl::ToDoubleSeconds(now - began_);
      sample.cpu_seconds += absl::ToDoubleSeconds(cpu_clock_() - cpu_before_);
      spinning_ = !spinning_;
      if (++phases_done_ == kPhases) Decide();
      return;
    }
    case State::kSpin:
      if (--phases_left_ == 0) Compare();
      return;
  }
}

void Spinner::Compare() {
  state_ = State::kCompare;
  spinning_ = false;
  score_ = 0;
  phases_done_ = 0;
  spun_ = Sample();
  blocked_ = Sample();
}

void Spinner::Decide() {
  if (!SpinningPays()) {
    hold_ = kFirstHold;
    return GiveUp();
  }
  state_ = State::kSpin;
  spinning_ = true;
  phases_left_ = hold_;
  hold_ = std::min(2 * hold_, kLongestHold);
  pause_ = kFirstPause;
}

bool Spinner::SpinningPays() const {
  if (blocked_.work == 0) return false;
  const double gain =
      spun_.work / spun_.seconds / (blocked_.work / blocked_.seconds);
  const double cpu =
      spun_.cpu_seconds / spun_.work / (blocked_.cpu_seconds / blocked_.work);
  return gain >= kGain || (gain >= kSmallGain && cpu <= kSameCpu);
}

void Spinner::Watch() {
  state_ = State::kWatch;
  spinning_ = false;
  waits_ = 0;
}

void Spinner::GiveUp() {
  Watch();
  next_comparison_ = began_ + pause_;
  pause_ = std::min(2 * pause_, kLongestPause);
}

void Spinner::OnSpun(bool paid) {
  ++(paid ? paid_ : unpaid_);
  if (mode_ != SpinMode::kAdaptive) return;
  score_ = std::min(score_ + (paid ? 1 : -2), kBestScore);
  if (score_ <= kWorstScore) GiveUp();
}

}  // namespace ringway
