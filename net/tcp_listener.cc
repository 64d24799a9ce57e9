// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tcp_listener.h"

#include <cerrno>
#include <new>
#include <utility>

#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/listening/listener_core.h"

namespace ringway::net {
namespace {

constexpr char kHandle[] = "a TcpListener";

}  // namespace

absl::StatusOr<TcpStream> AcceptOp::await_resume() {
  absl::StatusOr<SocketFd> accepted = TakeAccepted();
  if (!accepted.ok()) return accepted.status();
  try {
    return TcpStream::Adopt(task().loop(), *std::move(accepted));
  } catch (const std::bad_alloc&) {  // Adopt() has closed it
    return ErrnoToStatus(ENOMEM, "a stream for an accepted connection");
  }
}

TcpListener::TcpListener(std::unique_ptr<internal::ListenerCore> core)
    : core_(std::move(core)) {}
TcpListener::TcpListener(TcpListener&& other) noexcept = default;
TcpListener::~TcpListener() { Close(); }

TcpListener& TcpListener::operator=(TcpListener&& other) noexcept {
  if (this != &other) {
    Close();
    core_ = std::move(other.core_);
  }
  return *this;
}

absl::StatusOr<TcpListener> TcpListener::Listen(Loop& loop,
                                                const SocketAddress& address,
                                                const ListenOptions& options) {
  absl::StatusOr<SocketFd> fd =
      MakeListenSocket(loop.backend().sockets(), address, options);
  if (!fd.ok()) return fd.status();
  try {
    return Adopt(loop, *std::move(fd));
  } catch (const std::bad_alloc&) {
    return ErrnoToStatus(ENOMEM, "a listener");
  }
}

absl::StatusOr<TcpListener> TcpListener::Listen(const SocketAddress& address,
                                                const ListenOptions& options) {
  return Listen(CurrentLoop(), address, options);
}

TcpListener TcpListener::Adopt(Loop& loop, UniqueFd fd) {
  return Adopt(loop, internal::TakeOver(loop, std::move(fd)));
}

TcpListener TcpListener::Adopt(Loop& loop, SocketFd fd) {
  return TcpListener(
      std::make_unique<internal::ListenerCore>(loop, std::move(fd), kHandle));
}

void TcpListener::Close() {
  if (core_ != nullptr)
    internal::SocketCore::Abandon(std::move(core_), kHandle);
}

void TcpListener::KeepReserve() {
  if (LoopDependent::WhyUnusable(core_.get(), kHandle) == Unusable::kNo)
    core_->KeepReserve();
}

bool TcpListener::HasPending() const {
  return LoopDependent::WhyUnusable(core_.get(), kHandle) == Unusable::kNo &&
         core_->HasPending();
}

absl::StatusOr<SocketAddress> TcpListener::LocalAddress() const {
  const Unusable why = LoopDependent::WhyUnusable(core_.get(), kHandle);
  if (why != Unusable::kNo) return UnusableStatus(why, "listener");
  return SocketAddress::LocalOf(core_->sockets(), core_->fd());
}

}  // namespace ringway::net
