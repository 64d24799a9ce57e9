// SPDX-License-Identifier: Apache-2.0
//
// CpuClock: the processor time of a process, this one or another, in
// nanoseconds, including running and ended threads.

#ifndef RINGWAY_TOOLS_LOADGEN_CPU_CLOCK_H_
#define RINGWAY_TOOLS_LOADGEN_CPU_CLOCK_H_

#include <sys/types.h>
#include <time.h>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ringway::loadgen {

class CpuClock {
 public:
  static CpuClock OfThisProcess() { return CpuClock(CLOCK_PROCESS_CPUTIME_ID); }

  // Errors: NotFound if there is no such process.
  static absl::StatusOr<CpuClock> Of(pid_t process);

  // User and system time since the process began; zero once it has ended.
  absl::Duration Now() const;

 private:
  explicit CpuClock(clockid_t clock) : clock_(clock) {}

  clockid_t clock_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CPU_CLOCK_H_
