// SPDX-License-Identifier: Apache-2.0
//
// DatagramReceiver: the multishot receive of one datagram socket and its
// deliveries; ReceiveLentOp waits for them.
//
// Armed by the first ReceiveLent(), for good: datagrams that arrive while
// nobody waits are delivered up to a limit. Then it is paused (cancelled,
// keeping the deliveries), so that one socket cannot hold every buffer of the
// worker, and the socket's own buffer fills.

#ifndef RINGWAY_NET_DATAGRAM_DATAGRAM_RECEIVER_H_
#define RINGWAY_NET_DATAGRAM_DATAGRAM_RECEIVER_H_

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "ringway/backends/operation.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/task/wait.h"
#include "ringway/net/datagram/datagram.h"
#include "ringway/net/socket/armed_multishot.h"

namespace ringway::net {

namespace internal {

class DatagramCore;
class DatagramReceiver;
struct DatagramKind;

}  // namespace internal

class [[nodiscard]] ReceiveLentOp
    : public ringway::internal::Wait<ReceiveLentOp> {
 public:
  ReceiveLentOp(internal::DatagramCore* core,
                const internal::DatagramKind& kind);
  ~ReceiveLentOp() { LeaveIfWaiting(); }

  absl::StatusOr<LentDatagram> await_resume();

 private:
  friend class ringway::internal::Wait<ReceiveLentOp>;
  friend class internal::DatagramReceiver;
  using WaitEnd = ringway::internal::WaitEnd;

  WaitEnd Admit();
  WaitEnd Begin();
  bool Leave();
  static std::string Describe(const Suspension& suspension);
  // Requires that the receiver is ready().
  void Take();

  internal::DatagramCore* const core_;
  const internal::DatagramKind& kind_;
  const Unusable unusable_;
  int32_t result_ = 0;  // as of DatagramReceiver::Take()
  LentDatagram datagram_;
};

namespace internal {

class DatagramReceiver {
 public:
  // The receive is paused when this many deliveries are waiting for a reader.
  static constexpr uint32_t kMaxHeld = 16;

  // Must not be destroyed while in_progress() (checked).
  explicit DatagramReceiver(DatagramCore& core);

  // The kernel may still deliver, or completions have not run yet.
  bool in_progress() const { return receive_.in_progress(); }

  // True if Take() has a result.
  bool ready() const;

  // The next datagram, in order: 1; or 0 or -errno, by which the receive has
  // ended, once: the next wait arms it again. Requires ready().
  int32_t Take(LentDatagram& datagram);

  // Continues the waiter's task once ready(). One at a time (checked).
  void Wait(ReceiveLentOp& waiter);
  void StopWaiting() { waiter_ = nullptr; }

  // Stops the receive, drops its deliveries and cancels the waiting task.
  void Abandon();

 private:
  struct Receive : ArmedMultishot {
    Receive(Loop& loop, DatagramReceiver& r)
        : ArmedMultishot(loop, &OnNews), receiver(r) {}
    static void OnNews(ArmedMultishot& self);
    DatagramReceiver& receiver;
  };

  void OnNews();
  void Arm();

  DatagramCore& core_;
  Receive receive_;
  msghdr room_ = {};  // for names and control messages
  ReceiveLentOp* waiter_ = nullptr;
  bool abandoned_ = false;
};

}  // namespace internal

}  // namespace ringway::net

#endif  // RINGWAY_NET_DATAGRAM_DATAGRAM_RECEIVER_H_
