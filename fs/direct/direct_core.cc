// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/direct/direct_core.h"

#include <algorithm>

#include "ringway/backends/backend.h"
#include "ringway/backends/prepare.h"
#include "ringway/executor/loop/loop.h"

namespace ringway::fs::internal {

DirectCore::DirectCore(FileCore& opened, const DirectAlignment& alignment,
                       bool is_direct, const DirectFileOptions& options)
    : FileCore(opened.loop(), opened.TakeFd(), opened.path()),
      alignment_(alignment),
      polling_(options.polling),
      max_in_flight_(options.max_in_flight),
      polls_(is_direct && polling_ != DirectPolling::kOff &&
             loop().backend().info().polls_direct_io) {
  stats_.is_direct = is_direct;
}

// kMustPoll even where polling is optional: whether this file's device is
// polled must not depend on what another device refused.
uint32_t DirectCore::flags() const {
  if (!stats_.is_direct) return 0;
  return kDirectIo | (polls_ ? kMustPoll : kNeverPoll);
}

bool DirectCore::StopPolling() {
  if (must_poll()) return false;
  polls_ = false;
  return true;
}

void DirectCore::StartInTurn(Operation& op) {
  if (stats_.in_flight == max_in_flight_) {
    ++stats_.waited;
    waiting_.PushBack(op);
    return;
  }
  ++stats_.in_flight;
  stats_.most_in_flight = std::max(stats_.most_in_flight, stats_.in_flight);
  loop().Start(op);
}

void DirectCore::StartNext() {
  if (Operation* next = waiting_.PopFront()) {
    loop().Start(*next);
  } else {
    --stats_.in_flight;
  }
}

void DirectCore::CountEnd(bool is_read) {
  ++(is_read ? stats_.reads : stats_.writes);
  if (!stats_.is_direct) ++stats_.buffered;
  if (polling_ != DirectPolling::kOff && !polls_) ++stats_.not_polled;
}

DirectFileStats DirectCore::stats() const { return stats_; }

}  // namespace ringway::fs::internal
