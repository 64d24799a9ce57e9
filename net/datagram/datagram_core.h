// SPDX-License-Identifier: Apache-2.0
//
// DatagramCore: one datagram socket with its operations in flight and its
// receiver of lent datagrams. The handles point to it.

#ifndef RINGWAY_NET_DATAGRAM_DATAGRAM_CORE_H_
#define RINGWAY_NET_DATAGRAM_DATAGRAM_CORE_H_

#include <sys/socket.h>

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/runnable.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/net/datagram/datagram_receiver.h"
#include "ringway/net/socket/socket_core.h"
#include "ringway/net/socket_address.h"

namespace ringway::net::internal {

struct DatagramKind {
  // What messages call a handle, and its socket.
  const char* handle;  // "a UdpSocket"
  const char* socket;  // "UDP socket"
  // Sends are tried again later while the receiver has no room; see
  // DatagramCore::Retry().
  bool retries;
};

class DatagramCore final : public SocketCore {
 public:
  // An operation, while it is in flight or waits for its next attempt.
  struct Entry : ListNode {
    explicit Entry(Operation& o) : operation(o) {}
    Operation& operation;
    bool waiting = false;
    bool refused = false;  // for lack of room at its receiver, and not sent yet
  };

  DatagramCore(Loop& loop, SocketFd fd, const DatagramKind& kind);
  ~DatagramCore() override;

  const DatagramKind& kind() const { return kind_; }

  // Flags for every send, for the Prepare functions.
  static int SendFlags(const DatagramKind& kind) {
    return kind.retries ? MSG_DONTWAIT : 0;
  }

  // Starts an operation; a send only behind those that wait for the same
  // receiver, whose order it keeps. Others are not delayed by a full receiver.
  void Begin(Entry& entry);
  // It is done. True if it will be started again. One that would, but whose
  // task does not want it any more (`cancelled`), or whose socket is gone, ends
  // as cancelled.
  bool Retry(Entry& entry, bool cancelled);
  // It is done, and will not be started again.
  void End(Entry& entry);
  // A send has begun and not ended.
  bool sending();
  // Makes it end soon, as cancelled unless it is about to end.
  void Cancel(Entry& entry);

  // True once datagrams were received from it by ReceiveLent().
  bool has_receiver() const { return receiver_.has_value(); }
  // The receiver of lent datagrams, created on first use.
  DatagramReceiver& receiver();
  void OnReceiverStopped() { CloseIfIdle(); }
  // Datagrams wait to be received, or to be taken.
  bool HasPending() const {
    return (receiver_.has_value() && receiver_->has_datagram()) ||
           sockets().IsReadable(fd()) > 0;
  }

  // Sends to and receives from `peer` only. The errno of connect(2), naming it.
  absl::Status Connect(const SocketAddress& peer);
  absl::Status Disconnect();
  absl::StatusOr<SocketAddress> LocalAddress() const {
    return SocketAddress::LocalOf(sockets(), fd());
  }

 private:
  bool InFlight() const override;
  void OnAbandon() override;
  void OnLoopEnd() override;

  // Starts what waits again, after a while.
  struct Again : ringway::Runnable {
    explicit Again(DatagramCore& c) : ringway::Runnable(&OnTime), core(c) {
      timer.on_fired = this;
    }
    static void OnTime(ringway::Runnable& entry);
    LoopTimer timer;
    DatagramCore& core;
  };

  // A send to the receiver of `operation` waits.
  bool WaitsForReceiverOf(const Operation& operation);
  void StopWaiting();

  const DatagramKind& kind_;
  IntrusiveList<Entry> in_flight_;
  // Sends whose receivers had no room, and later sends to these.
  IntrusiveList<Entry> waiting_;
  Again again_;
  absl::Duration pause_;  // before the next attempt
  std::optional<DatagramReceiver> receiver_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_DATAGRAM_DATAGRAM_CORE_H_
