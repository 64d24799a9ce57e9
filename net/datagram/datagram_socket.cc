// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/datagram/datagram_socket.h"

#include <utility>

#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/net/socket/socket_core.h"

namespace ringway::net {

DatagramSocket::DatagramSocket(Loop& loop, SocketFd fd,
                               const internal::DatagramKind& kind)
    : core_(
          std::make_unique<internal::DatagramCore>(loop, std::move(fd), kind)),
      kind_(&kind) {}

DatagramSocket& DatagramSocket::operator=(DatagramSocket&& other) noexcept {
  if (this != &other) {
    Close();
    core_ = std::move(other.core_);
    kind_ = other.kind_;
  }
  return *this;
}

absl::Status DatagramSocket::CheckUsable() const {
  const Unusable why = LoopDependent::WhyUnusable(core_.get(), kind_->handle);
  return why == Unusable::kNo ? absl::OkStatus()
                              : UnusableStatus(why, kind_->socket);
}

absl::Status DatagramSocket::Connect(const SocketAddress& peer) {
  absl::Status usable = CheckUsable();
  return usable.ok() ? core_->Connect(peer) : usable;
}

bool DatagramSocket::HasPending() const {
  return LoopDependent::WhyUnusable(core_.get(), kind_->handle) ==
             Unusable::kNo &&
         core_->HasPending();
}

void DatagramSocket::Close() {
  if (core_ != nullptr)
    internal::SocketCore::Abandon(std::move(core_), kind_->handle);
}

absl::StatusOr<SocketAddress> DatagramSocket::LocalAddress() const {
  absl::Status usable = CheckUsable();
  if (!usable.ok()) return usable;
  return core_->LocalAddress();
}

int DatagramSocket::fd() const {
  LoopDependent::CheckUsable(core_.get(), kind_->handle);
  return core_->fd();
}

}  // namespace ringway::net
