// SPDX-License-Identifier: Apache-2.0
//
// Patience: sets an event after a time, for a task that waits for several
// things in one frame. Allocates nothing. Internal.

#ifndef RINGWAY_RUNTIME_SERVING_PATIENCE_H_
#define RINGWAY_RUNTIME_SERVING_PATIENCE_H_

#include "absl/time/time.h"
#include "ringway/core/runnable.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/event.h"

namespace ringway::internal {

// Threads: the loop's only.
class Patience : private Runnable {
 public:
  // `duration` may be infinite. `event` must outlive it.
  Patience(Loop& loop, Event& event, absl::Duration duration)
      : Runnable(&OnFired), loop_(loop), event_(event) {
    timer_.on_fired = this;
    loop_.ArmTimer(timer_, loop_.backend().clock().Now() + duration);
  }
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;
  ~Patience() {
    loop_.DisarmTimer(timer_);
    if (linked()) Unlink();
  }

  bool over() const { return over_; }

 private:
  static void OnFired(Runnable& entry) {
    Patience& self = static_cast<Patience&>(entry);
    self.over_ = true;
    self.event_.Set();
  }

  Loop& loop_;
  Event& event_;
  LoopTimer timer_;
  bool over_ = false;
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_SERVING_PATIENCE_H_
