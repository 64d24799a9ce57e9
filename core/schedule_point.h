// SPDX-License-Identifier: Apache-2.0
//
// SchedulePoint: marks a point at which another thread may interleave.
//
// It has no effect except in tests built with //core:schedule_points. There
// the thread sometimes yields the CPU at each point, so that races within a
// few instructions, which tests would practically never hit, occur often.

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
