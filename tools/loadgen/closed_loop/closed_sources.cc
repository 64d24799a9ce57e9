// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/closed_loop/closed_sources.h"

#include <optional>

namespace ringway::loadgen {
size_t WindowSource::Take(size_t most) {
  if (ended() || in_flight_.size() >= depth_ || in_flight_.span() >= kMostSpan)
    return 0;
  const size_t n = std::min(most, depth_ - in_flight_.size());
  const MonotonicTime now = clock_.Now();
  for (size_t i = 0; i < n; ++i) in_flight_.Add(now);
  return n;
}

void WindowSource::OnOldestAnswered(size_t n) {
  for (size_t i = 0; i < n; ++i) OnAnswered(in_flight_.oldest_number());
}

void WindowSource::OnAnswered(uint64_t number) {
  const std::optional<MonotonicTime> taken = in_flight_.Take(number);
  if (!taken.has_value()) return;
  meter_.RecordReplies(*taken, clock_.Now(), 1);
  due().NotifyOne();
}

void WindowSource::OnFailed(uint64_t number, const absl::Status& why) {
  if (!in_flight_.Take(number).has_value()) return;
  RecordError(why);
  due().NotifyOne();
}

void WindowSource::OnLost(uint64_t number) {
  if (!in_flight_.Take(number).has_value()) return;
  meter_.RecordLost();
  due().NotifyOne();
}

}  // namespace ringway::loadgen
