// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/workers/start_line.h"

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/core/time/clock.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"

namespace ringway::loadgen {
namespace {

// From the last arrival to the begin: several times the interval of checks.
constexpr absl::Duration kLead = absl::Milliseconds(5);
constexpr absl::Duration kPollInterval = absl::Milliseconds(1);

}  // namespace

void StartLine::Arrive(int worker, MonotonicTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (arrived_[static_cast<size_t>(worker)]) return;
  arrived_[static_cast<size_t>(worker)] = true;
  if (--missing_ == 0) begin_ = arrived_.size() == 1 ? now : now + kLead;
}

std::optional<MonotonicTime> StartLine::begin() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return begin_;
}

Task<absl::StatusOr<MonotonicTime>> WaitForStart(StartLine& line, int worker) {
  const Clock& clock = CurrentLoop().backend().clock();
  line.Arrive(worker, clock.Now());
  std::optional<MonotonicTime> begin = line.begin();
  while (!begin.has_value()) {
    absl::Status slept = co_await Sleep(kPollInterval);
    if (!slept.ok()) co_return slept;
    begin = line.begin();
  }
  if (*begin > clock.Now()) {
    absl::Status slept = co_await SleepUntil(*begin);
    if (!slept.ok()) co_return slept;
  }
  co_return *begin;
}

}  // namespace ringway::loadgen
