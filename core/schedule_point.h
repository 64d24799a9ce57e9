// SPDX-License-Identifier: Apache-2.0
//
// SchedulePoint: marks a moment at which another thread may come in between.
//
// It is nothing, but in tests that are built with //core:schedule_points: there
// the thread now and then loses the CPU at each of them, and windows of a few
// instructions, which a test would not hit in a year, are hit all the time.

#ifndef RINGWAY_CORE_SCHEDULE_POINT_H_
#define RINGWAY_CORE_SCHEDULE_POINT_H_

namespace ringway::internal {

#ifdef RINGWAY_SCHEDULE_POINTS
void SchedulePoint();
#else
inline void SchedulePoint() {}
#endif

}  // namespace ringway::internal

#endif  // RINGWAY_CORE_SCHEDULE_POINT_H_
