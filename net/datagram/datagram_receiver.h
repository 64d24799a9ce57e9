// SPDX-License-Identifier: Apache-2.0
//
// DatagramReceiver: the multishot receive of one datagram socket and its
// deliveries; ReceiveLentOp and ReceiveBatchOp wait for them.
//
// Armed by the first ReceiveLent(), for good: datagrams that arrive while
// nobody waits are delivered up to a limit. Then it is paused (cancelled,
// keeping the deliveries), so that one socket cannot hold every buffer of the
// worker, and the socket's own buffer fills.

#ifndef RINGWAY_NET_DATAGRAM_DATAGRAM_RECEIVER_H_
#define RINGWAY_NET_DATAGRAM_DATAGRAM_RECEIVER_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

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

namespace internal {

// A task that waits for what a receiver delivers: the base of ReceiveLentOp and
// ReceiveBatchOp.
class LentDatagramWait : public ringway::internal::Wait<LentDatagramWait> {
 protected:
  // `out` is where datagrams go, at least one and as many as have been
  // delivered when the wait ends.
  LentDatagramWait(DatagramCore* core, const DatagramKind& kind,
                   std::span<LentDatagram> out);
  ~LentDatagramWait() { LeaveIfWaiting(); }

  // The number of datagrams.
  absl::StatusOr<size_t> Result() const;

 private:
  friend class ringway::internal::Wait<LentDatagramWait>;
  friend class DatagramReceiver;
  using WaitEnd = ringway::internal::WaitEnd;

  WaitEnd Admit();
  WaitEnd Begin();
  bool Leave();
  static std::string Describe(const Suspension& suspension);
  // Requires that the receiver is ready().
  void Take();

  DatagramCore* const core_;
  const DatagramKind& kind_;
  const Unusable unusable_;
  const std::span<LentDatagram> out_;
  size_t n_taken_ = 0;
  int32_t end_result_ = 0;  // if none was taken: as of DatagramReceiver::Take()
};

}  // namespace internal

class [[nodiscard]] ReceiveLentOp : public internal::LentDatagramWait {
 public:
  ReceiveLentOp(internal::DatagramCore* core,
                const internal::DatagramKind& kind)
      : LentDatagramWait(core, kind, std::span(&datagram_, 1)) {}

  absl::StatusOr<LentDatagram> await_resume() {
    absl::StatusOr<size_t> n = Result();
    if (!n.ok()) return n.status();
    return std::move(datagram_);
  }

 private:
  LentDatagram datagram_;
};

class [[nodiscard]] ReceiveBatchOp : public internal::LentDatagramWait {
 public:
  ReceiveBatchOp(internal::DatagramCore* core,
                 const internal::DatagramKind& kind,
                 std::span<LentDatagram> out)
      : LentDatagramWait(core, kind, out) {}

  absl::StatusOr<size_t> await_resume() const { return Result(); }
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

  // A datagram, or the end of the receive, which comes after all datagrams.
  bool ready() const {
    return has_datagram() || receive_.state() == ArmedMultishot::State::kEnded;
  }
  bool has_datagram() const { return receive_.untaken() > 0; }

  // The next datagram, in order. Requires has_datagram().
  void Take(LentDatagram& datagram);
  // 0 or -errno, by which the receive has ended, once: the next wait arms it
  // again. Requires ready() and no datagram.
  int32_t TakeEnd() { return receive_.TakeEnd(); }

  // Continues the waiter's task once ready(). One at a time (checked).
  void Wait(LentDatagramWait& waiter);
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
  LentDatagramWait* waiter_ = nullptr;
  bool abandoned_ = false;
};

}  // namespace internal

}  // namespace ringway::net

#endif  // RINGWAY_NET_DATAGRAM_DATAGRAM_RECEIVER_H_
