// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tcp_stream.h"

#include <sys/socket.h>

#include "ringway/core/linger.h"

namespace ringway::net {

TcpStream TcpStream::Adopt(Loop& loop, UniqueFd fd) {
  try {
    return TcpStream(
        std::make_unique<internal::StreamCore>(loop, std::move(fd)));
  } catch (...) {  // for want of memory, so nothing has taken `fd`
    StopLingering(fd.get());
    throw;
  }
}

TcpStream& TcpStream::operator=(TcpStream&& other) noexcept {
  if (this != &other) {
    Drop();
    core_ = std::move(other.core_);
  }
  return *this;
}

void TcpStream::Drop() {
  if (core_ != nullptr) internal::StreamCore::Abandon(std::move(core_));
}

absl::StatusOr<SocketAddress> TcpStream::LocalAddress() const {
  const Unusable why = LoopDependent::WhyUnusable(core_.get(), "a TcpStream");
  if (why != Unusable::kNo) return UnusableStatus(why, "stream");
  return SocketAddress::LocalOf(core_->fd());
}

absl::StatusOr<SocketAddress> TcpStream::PeerAddress() const {
  const Unusable why = LoopDependent::WhyUnusable(core_.get(), "a TcpStream");
  if (why != Unusable::kNo) return UnusableStatus(why, "stream");
  return SocketAddress::PeerOf(core_->fd());
}

int TcpStream::fd() const {
  LoopDependent::CheckUsable(core_.get(), "a TcpStream");
  return core_->fd();
}

void TcpStream::Reset() {
  if (!valid()) return Drop();
  const linger discard = {.l_onoff = 1, .l_linger = 0};
  // If this fails the close is an ordinary one; there is nobody to tell.
  setsockopt(core_->fd(), SOL_SOCKET, SO_LINGER, &discard, sizeof(discard));
  Drop();
}

}  // namespace ringway::net
