// SPDX-License-Identifier: Apache-2.0
//
// SetScheduleHook: what the schedule points of a test do (schedule_point.h),
// instead of what //core:schedule_points has them do: for tests that stop a
// thread at one of them.

#ifndef RINGWAY_CORE_TESTING_SCHEDULE_HOOK_H_
#define RINGWAY_CORE_TESTING_SCHEDULE_HOOK_H_

#include "ringway/core/compiler.h"

namespace ringway::internal {

// Called at each point by each thread; null, the default: nothing is.
//
// Threads: any.
void SetScheduleHook(void (*hook)());

}  // namespace ringway::internal

#endif  // RINGWAY_CORE_TESTING_SCHEDULE_HOOK_H_
