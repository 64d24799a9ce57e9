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
  } else if (waits_ >= kRow && IsOver(now)) {
    End(now, work);
    Begin(now, work);
  }
  ++waits_;
  return spinning_;
}

bool Spinner::IsOver(MonotonicTime now) const {
  switch (state_) {
    case State::kWatch:
      return true;
    case State::kCheck:
      return now - began_ >= kCheckPhase;
    case State::kCompare:
    case State::kSpin:
      return now - began_ >= kPhase;
  }
  return true;
}

void Spinner::Begin(MonotonicTime now, uint64_t work) {
  waits_ = 0;
  began_ = now;
  work_before_ = work;
  if (state_ != State::kWatch) cpu_before_ = cpu_clock_();
}

// A wait of up to twice the spin limit counts as short: more than half of it
// may be the wake-up of two processors, which a spin saves.
void Spinner::End(MonotonicTime now, uint64_t work) {
  const bool was_short = now - began_ <= 2 * waits_ * limit_;
  switch (state_) {
    case State::kWatch:
      if (!was_short || now < paused_until_) return;
      return has_paid_ ? Spin(kFirstHold) : Compare();
    case State::kCompare:
      if (!was_short) return Watch();
      Measure(spinning_ ? spun_ : blocked_, now, work);
      spinning_ = !spinning_;
      if (++phases_done_ == kPhases) DecideComparison();
      return;
    case State::kSpin:
      if (--phases_left_ > 0) return;
      spun_ = Sample();
      Measure(spun_, now, work);
      return Check();
    case State::kCheck:
      if (!was_short) return Watch();
      blocked_ = Sample();
      Measure(blocked_, now, work);
      return DecideCheck();
  }
}

void Spinner::Measure(Sample& sample, MonotonicTime now, uint64_t work) const {
  sample.work += static_cast<double>(work - work_before_);
  sample.seconds += absl::ToDoubleSeconds(now - began_);
  sample.cpu_seconds += absl::ToDoubleSeconds(cpu_clock_() - cpu_before_);
}

bool Spinner::SpinningPays() const {
  if (blocked_.work == 0 || spun_.work == 0) return false;
  const double gain =
      spun_.work / spun_.seconds / (blocked_.work / blocked_.seconds);
  const double cpu =
      spun_.cpu_seconds / spun_.work / (blocked_.cpu_seconds / blocked_.work);
  return (gain >= kGain && cpu <= gain) ||
         (gain >= kSmallGain && cpu <= kSameCpu);
}

void Spinner::Watch() {
  state_ = State::kWatch;
  spinning_ = false;
  waits_ = 0;
}

void Spinner::Compare() {
  state_ = State::kCompare;
  spinning_ = false;
  score_ = 0;
  phases_done_ = 0;
  spun_ = Sample();
  blocked_ = Sample();
}

void Spinner::Spin(uint32_t phases) {
  state_ = State::kSpin;
  spinning_ = true;
  score_ = 0;
  phases_left_ = phases;
  hold_ = std::min(2 * phases, kLongestHold);
}

void Spinner::Check() {
  state_ = State::kCheck;
  spinning_ = false;
}

void Spinner::DecideComparison() {
  has_paid_ = SpinningPays();
  if (!has_paid_) return Pause(pause_);
  pause_ = kFirstPause;
  Spin(kFirstHold);
}

// What one phase denies may be chance; a comparison decides.
void Spinner::DecideCheck() {
  rest_ = kFirstRest;
  if (!SpinningPays()) return Compare();
  Spin(hold_);
}

void Spinner::Pause(absl::Duration& pause) {
  Watch();
  paused_until_ = began_ + pause;
  pause = std::min(2 * pause, kLongestPause);
}

// In a comparison it counts against spinning that its spins end with nothing;
// otherwise traffic has paused, and may go on soon.
void Spinner::OnSpun(bool paid) {
  ++(paid ? paid_ : unpaid_);
  if (mode_ != SpinMode::kAdaptive) return;
  score_ = std::min(score_ + (paid ? 1 : -2), kBestScore);
  if (score_ > kWorstScore) return;
  Pause(state_ == State::kSpin ? rest_ : pause_);
}

}  // namespace ringway
