// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/workers/opening.h"

#include <algorithm>
#include <utility>

#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/tools/loadgen/connection/loop_now.h"

namespace ringway::loadgen {
namespace {

// The interval of checks for a stop.
constexpr absl::Duration kCheckInterval = absl::Milliseconds(50);

}  // namespace

void OpeningCounts::Merge(const OpeningCounts& other) {
  opened += other.opened;
  failed += other.failed;
  took = std::max(took, other.took);
  connect_ns.Merge(other.connect_ns);
}

Opening::Opening(const LoadOptions& options, const WorkerShare& share)
    : options_(options), left_(share.CountOf(options.connections)) {}

void Opening::Begin() { begin_ = LoopNow(); }

Task<absl::Status> Opening::Open(Connection& connection, int index) {
  absl::Status status;
  if (options_.ramp > absl::ZeroDuration()) {
    status = co_await SleepUntil(begin_ +
                                 options_.ramp * index / options_.connections);
  }
  const MonotonicTime tried_at = LoopNow();
  if (status.ok()) {
    Task<absl::Status> open = connection.Open(options_.patience);
    status = co_await std::move(open);
  }
  if (status.ok()) {
    RecordOpened(tried_at);
  } else {
    ++counts_.failed;
  }
  if (--left_ == 0) all_.Set();
  co_return status;
}

void Opening::RecordOpened(MonotonicTime tried_at) {
  const MonotonicTime now = LoopNow();
  ++counts_.opened;
  counts_.took = now - begin_;
  counts_.connect_ns.Record(
      static_cast<uint64_t>(absl::ToInt64Nanoseconds(now - tried_at)));
}

Task<absl::Status> Opening::Wait() {
  while (!all_.is_set() && !options_.stopped()) {
    absl::Status waited = co_await WithTimeout(kCheckInterval, all_.Wait());
    if (!waited.ok() && !absl::IsDeadlineExceeded(waited)) co_return waited;
  }
  co_return absl::OkStatus();
}

}  // namespace ringway::loadgen
