// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/connect.h"

#include <cerrno>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/errno_status.h"

namespace ringway::net {
namespace internal {

ConnectBase::ConnectBase(const SocketAddress& address, int type,
                         const ConnectOptions* options)
    : OperationAwait(&OnDone, &OnCancel, &Describe),
      address_(address),
      type_(type),
      options_(options) {}

std::string ConnectBase::Describe(const Suspension& suspension) {
  const ConnectBase& self = static_cast<const ConnectBase&>(Of(suspension));
  return absl::StrCat("connect to ", self.address_.ToString());
}

bool ConnectBase::Prepare(Loop& loop) {
  SocketCalls& sockets = loop.backend().sockets();
  socket_ = options_ != nullptr
                ? MakeStreamSocket(sockets, address_, *options_, type_)
                : MakeStreamSocket(sockets, address_, ConnectOptions(), type_);
  if (!socket_.ok()) return false;
  PrepareConnect(*this, socket_->get(), address_.data(), address_.size());
  return true;
}

absl::StatusOr<SocketFd> ConnectBase::TakeConnected() {
  if (!socket_.ok()) return socket_.status();
  if (result < 0)
    return ErrnoToStatus(-result,
                         absl::StrCat("connect to ", address_.ToString()));
  return std::move(socket_);
}

}  // namespace internal

absl::StatusOr<TcpStream> ConnectOp::await_resume() {
  absl::StatusOr<SocketFd> socket = TakeConnected();
  if (!socket.ok()) return socket.status();
  try {
    return TcpStream::Adopt(task().loop(), *std::move(socket));
  } catch (const std::bad_alloc&) {  // Adopt() has closed the socket
    return ErrnoToStatus(ENOMEM, "a stream for a connection");
  }
}

}  // namespace ringway::net
