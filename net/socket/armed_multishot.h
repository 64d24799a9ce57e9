// SPDX-License-Identifier: Apache-2.0
//
// ArmedMultishot: the state of a multishot operation from its owner's view.
//
// The kernel may have ended a multishot while its completion is still in the
// loop's ready queue. Its owner, which may run in between, must not consider
// the operation idle: preparing it again would overwrite the result. So the
// state changes only when the owner's callback has run for the end, and an
// earlier Arm() is a checked error.
//
//     idle --Arm()--> armed --Stop()--> stopping --the stop took effect--> idle
//                       |                  |
//                       +---- any end -----+--> ended --TakeEnd()--> idle
//
// Deliveries may be taken in every state, and outlast the end.
//
//   struct Receive : ArmedMultishot { ... };
//   receive.Arm(fd, &PrepareRecvMultishot);
//   // OnNews(receive) runs later: Take() deliveries; TakeEnd() if it ended.

#ifndef RINGWAY_NET_SOCKET_ARMED_MULTISHOT_H_
#define RINGWAY_NET_SOCKET_ARMED_MULTISHOT_H_

#include <cstdint>

#include "ringway/backends/operation.h"
#include "ringway/executor/loop/loop.h"

namespace ringway::net::internal {

class ArmedMultishot : private DeliveringOperation {
 public:
  enum class State : uint8_t {
    kIdle,      // never armed, stopped, or its end has been taken
    kArmed,     // deliveries may follow, and its end will
    kStopping,  // the same, after Stop()
    kEnded,     // ended, and not because of Stop(): see TakeEnd()
  };

  // Runs in the loop when there are new deliveries or the state has become
  // kIdle or kEnded. It may destroy the object if that is not in progress.
  using NewsFunction = void (*)(ArmedMultishot&);

  ArmedMultishot(Loop& loop, NewsFunction on_news)
      : DeliveringOperation(&OnDelivery), loop_(loop), on_news_(on_news) {}
  ArmedMultishot(const ArmedMultishot&) = delete;
  ArmedMultishot& operator=(const ArmedMultishot&) = delete;
  // Drops untaken deliveries. If there are any, the loop must not have ended,
  // because its backend holds them. Requires !in_progress() (checked).
  ~ArmedMultishot() {
    if (untaken() > 0) DropUntaken();
  }

  State state() const {
    if (in_progress()) {
      return stop_requested_ ? State::kStopping : State::kArmed;
    }
    return ended_ ? State::kEnded : State::kIdle;
  }

  // Armed or stopping: a callback will follow, so this object must not be
  // destroyed.
  bool in_progress() const { return active() || notice.linked(); }

  // Starts it on the fd `on`, as `prepare`, called with the operation and the
  // fd, prepares it. Requires kIdle (checked).
  template <typename F>
  void Arm(int on, F&& prepare) {
    CheckIdle();
    stop_requested_ = false;
    prepare(multishot(), on);
    loop_.Start(*this);
  }

  // Cancels an armed operation; a callback follows. Deliveries up to the time
  // the stop takes effect can still be taken. Does nothing in any other state,
  // nor if the operation has ended and its callback has not run yet.
  void Stop();

  // Moves the oldest delivery to `delivery`; false if there is none.
  bool Take(Delivery& delivery) {
    return loop_.backend().TakeDelivery(*this, delivery);
  }
  const Operation& operation() const { return *this; }
  // The number of deliveries not taken yet.
  uint32_t untaken() const { return delivery_count; }
  // Closes or returns all of these.
  void DropUntaken() { loop_.backend().DropDeliveries(*this); }

  // 0 or -errno, once. Requires kEnded (checked). May be called before the
  // earlier deliveries are taken.
  int32_t TakeEnd();

 private:
  DeliveringOperation& multishot() { return *this; }

  static void OnDelivery(Runnable& entry);
  void CheckIdle() const;

  Loop& loop_;
  const NewsFunction on_news_;
  bool stop_requested_ = false;  // and the callback of its end has not run
  bool ended_ = false;           // the callback has run, TakeEnd() has not
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_SOCKET_ARMED_MULTISHOT_H_
