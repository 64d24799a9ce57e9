// SPDX-License-Identifier: Apache-2.0
//
// SendBatchOp: sends many datagrams: those for which there is room at once, in
// one system call, and the others by operations. The sockets' SendBatch() says
// what it does.

#ifndef RINGWAY_NET_DATAGRAM_DATAGRAM_BATCH_H_
#define RINGWAY_NET_DATAGRAM_DATAGRAM_BATCH_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "ringway/backends/operation.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/task/wait.h"
#include "ringway/net/datagram/datagram_core.h"
#include "ringway/net/socket_address.h"

namespace ringway::net {

// One datagram of a batch.
struct OutgoingDatagram {
  OutgoingDatagram() {}
  OutgoingDatagram(std::span<const std::byte> b, const SocketAddress& r)
      : bytes(b), receiver(r) {}

  std::span<const std::byte> bytes;
  SocketAddress receiver;  // none: the socket's peer
  // What became of it: 0, or an errno, as of SendTo(); ECANCELED if it was not
  // sent because the batch ended first.
  int error = 0;
};

class [[nodiscard]] SendBatchOp : public ringway::internal::Wait<SendBatchOp> {
 public:
  // The most that are sent at once: a batch does not keep its loop for long.
  static constexpr size_t kAtOnce = 64;
  // As many of the others are in flight at a time.
  static constexpr size_t kWindow = 32;

  SendBatchOp(internal::DatagramCore* core, const internal::DatagramKind& kind,
              std::span<OutgoingDatagram> batch);
  SendBatchOp(const SendBatchOp&) = delete;
  SendBatchOp& operator=(const SendBatchOp&) = delete;
  ~SendBatchOp();

  absl::StatusOr<size_t> await_resume() const;

 private:
  friend class ringway::internal::Wait<SendBatchOp>;
  using WaitEnd = ringway::internal::WaitEnd;

  struct Slot : Operation {
    Slot() : Operation(&OnDone), in_flight(*this) {}
    internal::DatagramCore::Entry in_flight;
    SendBatchOp* owner = nullptr;
    OutgoingDatagram* datagram = nullptr;
    iovec part = {};
    msghdr message = {};
  };

  WaitEnd Admit();
  WaitEnd Begin();
  void SendAtOnce();
  // The first that is left has been sent, or failed.
  void EndFirst(int error);
  bool Leave();
  static std::string Describe(const Suspension& suspension);
  static void OnDone(Runnable& entry);
  // Starts the next datagram in `slot`; false if there is none.
  bool StartNext(Slot& slot);

  internal::DatagramCore* const core_;
  const internal::DatagramKind& kind_;
  const Unusable unusable_;
  const std::span<OutgoingDatagram> batch_;
  size_t next_ = 0;
  size_t n_in_flight_ = 0;
  size_t n_sent_ = 0;
  size_t n_ended_ = 0;  // by themselves, not by a cancel
  bool stopped_ = false;
  // Once there are datagrams that have to wait.
  std::optional<std::array<Slot, kWindow>> slots_;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_DATAGRAM_DATAGRAM_BATCH_H_
