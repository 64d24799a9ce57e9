// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/loop/spinner.h"

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

bool Spinner::ShouldSpin(MonotonicTime now) {
  if (mode_ != SpinMode::kAdaptive) return mode_ == SpinMode::kFixed;
  if (!spinning_) Observe(now);
  return spinning_;
}

// A wait of up to twice the spin limit counts as short: more than half of it
// is the wake-up of two processors, which a spin saves.
void Spinner::Observe(MonotonicTime now) {
  if (waits_in_row_++ == 0) row_began_ = now;
  if (waits_in_row_ <= kRow) return;
  const bool was_short = now - row_began_ <= 2 * kRow * limit_;
  row_began_ = now;
  waits_in_row_ = 1;
  if (!was_short) return;
  if (rows_to_pass_ > 0) {
    --rows_to_pass_;
    return;
  }
  spinning_ = true;
  score_ = 0;
}

void Spinner::OnSpun(bool paid) {
  ++(paid ? paid_ : unpaid_);
  if (mode_ != SpinMode::kAdaptive) return;
  score_ = std::min(score_ + (paid ? 1 : -2), kBestScore);
  if (score_ == kBestScore) pause_ = 1;
  if (score_ > kWorstScore) return;
  spinning_ = false;
  waits_in_row_ = 0;
  rows_to_pass_ = pause_;
  pause_ = std::min(2 * pause_, kLongestPause);
}

}  // namespace ringway
