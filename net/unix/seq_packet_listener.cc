// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/unix/seq_packet_listener.h"

#include <cerrno>
#include <new>
#include <utility>

#include "ringway/core/errno_status.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/listening/listener_core.h"
#include "ringway/net/socket/socket_core.h"

namespace ringway::net {
namespace {

constexpr char kHandle[] = "a SeqPacketListener";

absl::StatusOr<SeqPacketSocket> AdoptConnection(Loop& loop, SocketFd fd) {
  try {
    return SeqPacketSocket::Adopt(loop, std::move(fd));
  } catch (const std::bad_alloc&) {  // Adopt() has closed it
    return ErrnoToStatus(ENOMEM, "a packet socket for a connection");
  }
}

}  // namespace

absl::StatusOr<SeqPacketSocket> AcceptSeqPacketOp::await_resume() {
  absl::StatusOr<SocketFd> accepted = TakeAccepted();
  if (!accepted.ok()) return accepted.status();
  return AdoptConnection(task().loop(), *std::move(accepted));
}

absl::StatusOr<SeqPacketSocket> ConnectSeqPacketOp::await_resume() {
  absl::StatusOr<SocketFd> connected = TakeConnected();
  if (!connected.ok()) return connected.status();
  return AdoptConnection(task().loop(), *std::move(connected));
}

SeqPacketListener::SeqPacketListener(
    std::unique_ptr<internal::ListenerCore> core)
    : core_(std::move(core)) {}
SeqPacketListener::SeqPacketListener(SeqPacketListener&& other) noexcept =
    default;
SeqPacketListener::~SeqPacketListener() { Close(); }

SeqPacketListener& SeqPacketListener::operator=(
    SeqPacketListener&& other) noexcept {
  if (this != &other) {
    Close();
    core_ = std::move(other.core_);
  }
  return *this;
}

absl::StatusOr<SeqPacketListener> SeqPacketListener::Listen(
    Loop& loop, const SocketAddress& address, const ListenOptions& options) {
  absl::StatusOr<SocketFd> fd = MakeListenSocket(
      loop.backend().sockets(), address, options, SOCK_SEQPACKET);
  if (!fd.ok()) return fd.status();
  try {
    return Adopt(loop, *std::move(fd));
  } catch (const std::bad_alloc&) {
    return ErrnoToStatus(ENOMEM, "a listener");
  }
}

absl::StatusOr<SeqPacketListener> SeqPacketListener::Listen(
    const SocketAddress& address, const ListenOptions& options) {
  return Listen(CurrentLoop(), address, options);
}

SeqPacketListener SeqPacketListener::Adopt(Loop& loop, UniqueFd fd) {
  return Adopt(loop, internal::TakeOver(loop, std::move(fd)));
}

SeqPacketListener SeqPacketListener::Adopt(Loop& loop, SocketFd fd) {
  return SeqPacketListener(
      std::make_unique<internal::ListenerCore>(loop, std::move(fd), kHandle));
}

void SeqPacketListener::Close() {
  if (core_ != nullptr)
    internal::SocketCore::Abandon(std::move(core_), kHandle);
}

absl::StatusOr<SocketAddress> SeqPacketListener::LocalAddress() const {
  const Unusable why = LoopDependent::WhyUnusable(core_.get(), kHandle);
  if (why != Unusable::kNo) return UnusableStatus(why, "listener");
  return SocketAddress::LocalOf(core_->sockets(), core_->fd());
}

}  // namespace ringway::net
