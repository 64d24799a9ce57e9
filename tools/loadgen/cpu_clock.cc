// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/cpu_clock.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace ringway::loadgen {

absl::StatusOr<CpuClock> CpuClock::Of(pid_t process) {
  clockid_t clock;
  if (clock_getcpuclockid(process, &clock) != 0) {
    return absl::NotFoundError(absl::StrCat("there is no process ", process));
  }
  return CpuClock(clock);
}

absl::Duration CpuClock::Now() const {
  timespec used = {};
  if (clock_gettime(clock_, &used) != 0) return absl::ZeroDuration();
  return absl::DurationFromTimespec(used);
}

}  // namespace ringway::loadgen
