// SPDX-License-Identifier: Apache-2.0

#define RINGWAY_SCHEDULE_POINTS 1  // as for all targets that depend on this

#include "ringway/core/testing/schedule_hook.h"

#include <atomic>

#include "ringway/core/schedule_point.h"

namespace ringway::internal {
namespace {

std::atomic<void (*)()> schedule_hook{nullptr};

}  // namespace

void SetScheduleHook(void (*hook)()) { schedule_hook = hook; }

void SchedulePoint() {
  if (void (*hook)() = schedule_hook.load()) hook();
}

}  // namespace ringway::internal
