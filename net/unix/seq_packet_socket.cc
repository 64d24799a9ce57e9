// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/unix/seq_packet_socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "ringway/backends/prepare.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/socket/socket_core.h"

namespace ringway::net {
namespace {

using internal::kSeqPacket;

int PacketFdOf(const internal::StreamCore* core) {
  return core == nullptr ? -1 : core->fd();
}

bool SentWhole(QueuedWrite&, size_t) { return false; }

}  // namespace

SendPacketOp::SendPacketOp(internal::StreamCore* core,
                           std::span<const std::byte> bytes)
    : QueuedWrite(core, &SentWhole, kSeqPacket) {
  PrepareSend(*this, PacketFdOf(core), bytes);
}

absl::Status SendPacketOp::await_resume() const {
  if (await_ready()) return absl::InvalidArgumentError("an empty packet");
  return QueuedWrite::await_resume();
}

ReceivePacketOp::ReceivePacketOp(internal::StreamCore* core,
                                 std::span<std::byte> buffer)
    : StreamRead(core, kSeqPacket), capacity_(buffer.size()) {
  // MSG_TRUNC: the result is the full size of the packet, even if it is cut.
  PrepareRecv(*this, PacketFdOf(core), buffer, MSG_TRUNC);
}

absl::StatusOr<Packet> ReceivePacketOp::await_resume() const {
  const absl::StatusOr<size_t> full_bytes = Result();
  if (!full_bytes.ok()) return full_bytes.status();
  Packet packet;
  packet.full_bytes = *full_bytes;
  packet.n_bytes = std::min(*full_bytes, capacity_);
  return packet;
}

SeqPacketSocket SeqPacketSocket::Adopt(Loop& loop, SocketFd fd) {
  return SeqPacketSocket(
      std::make_unique<internal::StreamCore>(loop, std::move(fd), kSeqPacket));
}

SeqPacketSocket SeqPacketSocket::Adopt(Loop& loop, UniqueFd fd) {
  return Adopt(loop, internal::TakeOver(loop, std::move(fd)));
}

SeqPacketSocket& SeqPacketSocket::operator=(SeqPacketSocket&& other) noexcept {
  if (this != &other) {
    Close();
    core_ = std::move(other.core_);
  }
  return *this;
}

void SeqPacketSocket::Close() {
  if (core_ != nullptr)
    internal::SocketCore::Abandon(std::move(core_), kSeqPacket.handle);
}

absl::Status SeqPacketSocket::CheckUsable() const {
  return UnusableStatus(
      LoopDependent::WhyUnusable(core_.get(), kSeqPacket.handle),
      kSeqPacket.socket);
}

bool SeqPacketSocket::valid() const {
  return LoopDependent::WhyUnusable(core_.get(), kSeqPacket.handle) ==
         Unusable::kNo;
}

absl::StatusOr<SocketAddress> SeqPacketSocket::LocalAddress() const {
  absl::Status usable = CheckUsable();
  if (!usable.ok()) return usable;
  return SocketAddress::LocalOf(core_->sockets(), core_->fd());
}

absl::StatusOr<SocketAddress> SeqPacketSocket::PeerAddress() const {
  absl::Status usable = CheckUsable();
  if (!usable.ok()) return usable;
  return SocketAddress::PeerOf(core_->sockets(), core_->fd());
}

int SeqPacketSocket::fd() const {
  LoopDependent::CheckUsable(core_.get(), kSeqPacket.handle);
  return core_->fd();
}

absl::StatusOr<std::pair<SeqPacketSocket, SeqPacketSocket>> SeqPacketPair(
    Loop& loop) {
  SocketCalls& sockets = loop.backend().sockets();
  int fds[2];
  if (const int error = sockets.Pair(SOCK_SEQPACKET, fds); error != 0)
    return ErrnoToStatus(-error, "socketpair");
  SocketFd first(sockets, fds[0]);
  SocketFd second(sockets, fds[1]);
  try {
    SeqPacketSocket one = SeqPacketSocket::Adopt(loop, std::move(first));
    SeqPacketSocket other = SeqPacketSocket::Adopt(loop, std::move(second));
    return std::pair(std::move(one), std::move(other));
  } catch (const std::bad_alloc&) {
    return ErrnoToStatus(ENOMEM, "a pair of packet sockets");
  }
}

absl::StatusOr<std::pair<SeqPacketSocket, SeqPacketSocket>> SeqPacketPair() {
  return SeqPacketPair(CurrentLoop());
}

}  // namespace ringway::net
