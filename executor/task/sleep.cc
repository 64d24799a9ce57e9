// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/sleep.h"

namespace ringway {

internal::WaitEnd SleepOp::Begin() {
  Loop& loop = task().loop();
  // loop.now() is the start of the turn; counting from it would wake a long
  // turn's sleeper early.
  const MonotonicTime deadline =
      relative_ ? loop.backend().clock().Now() + duration_ : until_;
  timer_.on_fired = &task();
  loop.ArmTimer(timer_, deadline);
  return internal::WaitEnd::kWaiting;
}

}  // namespace ringway
