// SPDX-License-Identifier: Apache-2.0
//
// ArmedMultishot: a multishot operation as its owner sees it.
//
// The kernel may have ended a multishot while the notice of that still waits in
// the loop's ready queue. Its owner, which may run in between, must not take
// the operation for idle then: preparing it again would wipe the result. So
// what counts here is whether the owner has been told of the end, and Arm()
// before that is a checked error.
//
//     idle --Arm()--> armed --Stop()--> stopping --the stop took effect--> idle
//                       |                  |
//                       +---- any end -----+--> ended --TakeEnd()--> idle
//
// Deliveries may be taken in every state, and outlast the end.
//
//   struct Receive : ArmedMultishot { ... };
//   receive.Arm(fd, &PrepareRecvMultishot);
//   // OnNews(receive) runs later: Take() what came; TakeEnd() if it has ended.

#ifndef RINGWAY_NET_SOCKET_ARMED_MULTISHOT_H_
#define RINGWAY_NET_SOCKET_ARMED_MULTISHOT_H_

#include <cstdint>

#include "ringway/backends/operation.h"
#include "ringway/executor/loop/loop.h"

namespace ringway::net::internal {

class ArmedMultishot {
 public:
  enum class State : uint8_t {
    kIdle,      // never armed, stopped, or its end has been taken
    kArmed,     // deliveries may come, and its end will
    kStopping,  // the same; Stop() has reached it
    kEnded,     // ended, and not because of Stop(): TakeEnd() gives the reason
  };

  // Runs in the loop when there are new deliveries, or the state is kIdle or
  // kEnded from now on. It may destroy the object if that is not in progress.
  using NewsFunction = void (*)(ArmedMultishot&);

  ArmedMultishot(Loop& loop, NewsFunction on_news)
      : loop_(loop), on_news_(on_news), operation_(*this) {}
  ArmedMultishot(const ArmedMultishot&) = delete;
  ArmedMultishot& operator=(const ArmedMultishot&) = delete;
  // Drops what was delivered and not taken, which must be before the loop ends:
  // its backend holds that. Requires !in_progress() (checked).
  ~ArmedMultishot() {
    if (untaken() > 0) DropUntaken();
  }

  State state() const;

  // Armed or stopping: news will follow, so this object must stay.
  bool in_progress() const {
    return operation_.active() || operation_.notice.linked();
  }

  // Starts it on `fd`. Requires kIdle (checked).
  using PrepareFunction = void (*)(DeliveringOperation&, int fd);
  void Arm(int fd, PrepareFunction prepare);

  // Asks an armed one to end; news follow. What was delivered, or is delivered
  // before the stop takes effect, stays to be taken. Nothing happens in any
  // other state, nor to one that has ended and whose news are on the way.
  void Stop();

  // Moves the oldest delivery to `delivery`; false if there is none.
  bool Take(Delivery& delivery) {
    return loop_.backend().TakeDelivery(operation_, delivery);
  }
  // Deliveries that have not been taken.
  uint32_t untaken() const { return operation_.delivery_count; }
  // Closes or gives back all of these.
  void DropUntaken() { loop_.backend().DropDeliveries(operation_); }

  // 0 or -errno, once. Requires kEnded (checked). It may be taken before the
  // deliveries, which came earlier.
  int32_t TakeEnd();

 private:
  struct Multishot : DeliveringOperation {
    explicit Multishot(ArmedMultishot& o)
        : DeliveringOperation(&OnDelivery), owner(o) {}
    ArmedMultishot& owner;
  };

  static void OnDelivery(Runnable& entry);

  Loop& loop_;
  const NewsFunction on_news_;
  Multishot operation_;
  bool stop_requested_ = false;  // and its end not told yet
  bool ended_ = false;           // told, not taken
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_SOCKET_ARMED_MULTISHOT_H_
