// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/paced_source.h"

#include <algorithm>
#include <optional>

#include "ringway/core/time/monotonic_time.h"

namespace ringway::loadgen {

bool PacedSource::Offer(const PacedRequest& request) {
  // The span also counts those answered out of order behind one that is not.
  if (waiting_.size() + sent_.size() >= queue_ ||
      waiting_.size() + sent_.span() >= kMostSpan) {
    return false;
  }
  waiting_.PushBack(request);
  if (waiting_.size() == 1) due().NotifyOne();
  return true;
}

void PacedSource::Abandon() {
  while (!sent_.empty()) meter_.RecordLost(sent_.TakeOldest());
  while (!waiting_.empty()) meter_.RecordLost(waiting_.PopFront());
}

size_t PacedSource::Take(size_t most) {
  const size_t n = std::min(waiting_.size(), most);
  if (n == 0) return 0;
  const MonotonicTime now = clock_.Now();
  for (size_t i = 0; i < n; ++i) {
    const PacedRequest request = waiting_.PopFront();
    meter_.RecordSent(request, now);
    sent_.Add(request);
  }
  return n;
}

void PacedSource::OnOldestAnswered(size_t n) {
  const MonotonicTime now = clock_.Now();
  for (size_t i = 0; i < n; ++i) meter_.RecordAnswered(sent_.TakeOldest(), now);
}

void PacedSource::OnAnswered(uint64_t number) {
  const std::optional<PacedRequest> request = sent_.Take(number);
  if (request.has_value()) meter_.RecordAnswered(*request, clock_.Now());
}

void PacedSource::OnFailed(uint64_t number, const absl::Status& why) {
  OnLost(number);
  meter_.RecordError(index_, why);
}

void PacedSource::OnLost(uint64_t number) {
  const std::optional<PacedRequest> request = sent_.Take(number);
  if (request.has_value()) meter_.RecordLost(*request);
}

}  // namespace ringway::loadgen
