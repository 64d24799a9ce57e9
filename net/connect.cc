// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/connect.h"

#include <cerrno>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/errno_status.h"

namespace ringway::net {

ConnectOp::ConnectOp(const SocketAddress& address,
                     const ConnectOptions* options)
    : OperationAwait(&OnDone, &OnCancel, &Describe),
      address_(address),
      options_(options) {}

std::string ConnectOp::Describe(const Suspension& suspension) {
  const ConnectOp& self = static_cast<const ConnectOp&>(Of(suspension));
  return absl::StrCat("connect to ", self.address_.ToString());
}

bool ConnectOp::Prepare(Loop& loop) {
  SocketCalls& sockets = loop.backend().sockets();
  socket_ = options_ != nullptr
                ? MakeStreamSocket(sockets, address_, *options_)
                : MakeStreamSocket(sockets, address_, ConnectOptions());
  if (!socket_.ok()) return false;
  PrepareConnect(*this, socket_->get(), address_.data(), address_.size());
  return true;
}

absl::StatusOr<TcpStream> ConnectOp::await_resume() {
  if (!socket_.ok()) return socket_.status();
  if (result < 0)
    return ErrnoToStatus(-result,
                         absl::StrCat("connect to ", address_.ToString()));
  try {
    return TcpStream::Adopt(task().loop(), *std::move(socket_));
  } catch (const std::bad_alloc&) {  // Adopt() has closed the socket
    return ErrnoToStatus(ENOMEM, "a stream for a connection");
  }
}

}  // namespace ringway::net
