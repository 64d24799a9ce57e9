// SPDX-License-Identifier: Apache-2.0
//
// The operations of datagram sockets. Tasks get them from the sockets'
// functions, which say what each does, and await them.

#ifndef RINGWAY_NET_DATAGRAM_DATAGRAM_OPS_H_
#define RINGWAY_NET_DATAGRAM_DATAGRAM_OPS_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <coroutine>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/net/datagram/datagram.h"
#include "ringway/net/datagram/datagram_control.h"
#include "ringway/net/datagram/datagram_core.h"
#include "ringway/net/socket_address.h"

namespace ringway::net {
namespace internal {

// Base of all operations of a datagram socket, which tracks them while they are
// in flight so that it can outlive them.
class DatagramOp : public OperationAwait {
 public:
  ~DatagramOp();

  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    return Begin(leaf, leaf.promise().task());
  }

 protected:
  DatagramOp(DatagramCore* core, const DatagramKind& kind,
             DescribeFunction describe);

  // -1 if the socket is unusable.
  int SocketFd() const;

  // A message of one part.
  void SetMessage(const void* data, size_t n_bytes);
  bool succeeded() const { return result >= 0 && unusable_ == Unusable::kNo; }
  absl::Status Failed(const char* what) const;

  DatagramCore* const core_;
  const DatagramKind& kind_;
  const Unusable unusable_;
  msghdr message_ = {};

 private:
  static void OnDone(Runnable& entry);
  static void OnCancel(Suspension& suspension);
  bool Begin(std::coroutine_handle<> leaf, TaskContext& task);

  DatagramCore::Entry in_flight_;
  iovec part_ = {};
};

}  // namespace internal

class [[nodiscard]] SendDatagramOp : public internal::DatagramOp {
 public:
  // Without a receiver: to the socket's peer.
  SendDatagramOp(internal::DatagramCore* core,
                 const internal::DatagramKind& kind,
                 std::span<const std::byte> bytes);
  SendDatagramOp(internal::DatagramCore* core,
                 const internal::DatagramKind& kind,
                 std::span<const std::byte> bytes,
                 const SocketAddress& receiver);
  absl::Status await_resume() const;

 protected:
  static std::string Describe(const Suspension& suspension);

  SocketAddress receiver_;
};

class [[nodiscard]] SendWithOptionsOp : public SendDatagramOp {
 public:
  SendWithOptionsOp(internal::DatagramCore* core,
                    const internal::DatagramKind& kind,
                    std::span<const std::byte> bytes,
                    const SocketAddress& receiver, const SendOptions& options);
  absl::Status await_resume() const;

 private:
  const bool has_time_;
  internal::SendControl control_;
};

class [[nodiscard]] ReceiveDatagramOp : public internal::DatagramOp {
 public:
  ReceiveDatagramOp(internal::DatagramCore* core,
                    const internal::DatagramKind& kind,
                    std::span<std::byte> buffer, bool want_sender);
  bool await_ready() const noexcept { return lent_ && SocketFd() >= 0; }
  absl::StatusOr<Datagram> await_resume() const;

 private:
  static std::string Describe(const Suspension& suspension);

  const size_t capacity_;
  const bool lent_;  // the socket receives lent datagrams
  sockaddr_storage sender_;
  mutable internal::ReceiveControl control_;
};

class [[nodiscard]] TakeDatagramErrorOp : public internal::DatagramOp {
 public:
  TakeDatagramErrorOp(internal::DatagramCore* core,
                      const internal::DatagramKind& kind);
  absl::StatusOr<std::optional<DatagramError>> await_resume() const;

 private:
  static std::string Describe(const Suspension& suspension);

  sockaddr_storage destination_;
  // The error, the reporter, and what every datagram has.
  struct Control {
    alignas(cmsghdr) std::byte bytes[internal::kReceiveControlBytes + 128];
  };
  mutable Control control_;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_DATAGRAM_DATAGRAM_OPS_H_
