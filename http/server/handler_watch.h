// SPDX-License-Identifier: Apache-2.0
//
// HandlerWatch: ends a handler that takes too long, and tells when one takes
// long enough to look after its client.

#ifndef RINGWAY_HTTP_SERVER_HANDLER_WATCH_H_
#define RINGWAY_HTTP_SERVER_HANDLER_WATCH_H_

#include <algorithm>

#include "absl/time/time.h"
#include "ringway/core/runnable.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"

namespace ringway::http::internal {

// A timer of the loop: most handlers end before it fires.
class HandlerWatch : private Runnable {
 public:
  // From the begin of a handler to the look at its client.
  static constexpr absl::Duration kPatience = absl::Milliseconds(50);

  explicit HandlerWatch(Loop& loop) : Runnable(&OnFired), loop_(loop) {
    timer_.on_fired = this;
  }
  HandlerWatch(const HandlerWatch&) = delete;
  HandlerWatch& operator=(const HandlerWatch&) = delete;

  // Calls OnPatience() each kPatience until that is done, and OnTimeout() after
  // `timeout`.
  void Begin(absl::Duration timeout) {
    timeout_at_ = loop_.now() + timeout;
    patient_ = watching_ = true;
    Arm();
  }
  // Sets another timeout, from now on; one that is shorter than kPatience may
  // be noticed that late. Does nothing after End().
  void Limit(absl::Duration timeout) {
    timeout_at_ = loop_.now() + timeout;
    if (!watching_ || patient_) return;  // it is looked at then
    if (timer_.armed()) loop_.DisarmTimer(timer_);
    Arm();
  }
  void End() {
    watching_ = false;
    if (timer_.armed()) loop_.DisarmTimer(timer_);
    if (linked()) Unlink();  // it has fired and is about to run
  }

 protected:
  ~HandlerWatch() { End(); }
  // False: it cannot be done yet.
  virtual bool OnPatience() = 0;
  virtual void OnTimeout() = 0;

 private:
  static void OnFired(Runnable& entry) {
    auto& self = static_cast<HandlerWatch&>(entry);
    if (self.loop_.now() >= self.timeout_at_) return self.OnTimeout();
    if (self.patient_ && self.OnPatience()) self.patient_ = false;
    self.Arm();
  }

  void Arm() {
    MonotonicTime next = timeout_at_;
    if (patient_) next = std::min(next, loop_.now() + kPatience);
    if (!next.is_infinite()) loop_.ArmTimer(timer_, next);
  }

  Loop& loop_;
  LoopTimer timer_;
  MonotonicTime timeout_at_;
  bool patient_ = false;
  bool watching_ = false;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_SERVER_HANDLER_WATCH_H_
