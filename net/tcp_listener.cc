// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tcp_listener.h"

#include <cerrno>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/listener_core.h"

namespace ringway::net {

AcceptOp::AcceptOp(internal::ListenerCore* core)
    : Suspension(&OnCancel, "a connection"),
      core_(core),
      unusable_(LoopDependent::WhyUnusable(core, "a TcpListener")) {}

AcceptOp::~AcceptOp() {
  if (linked()) Unlink();  // the frame is destroyed where it waits
}

bool AcceptOp::Begin(std::coroutine_handle<> leaf, TaskContext& task) {
  if (unusable_ != Unusable::kNo || task.cancelled()) {
    error_ = -ECANCELED;
    return task.SkipWait(leaf);
  }
  core_->CheckAwaitedOn(task.loop(), "a TcpListener");
  loop_ = &core_->loop();
  // Only a task that does wait is parked: its suspension would stay behind.
  accepted_ = SocketFd(core_->sockets(), core_->TakeForNewcomer());
  if (accepted_.valid()) return task.SkipWait(leaf);
  task.Park(leaf, *this);
  task_ = &task;
  core_->Wait(*this);
  return true;
}

void AcceptOp::Complete(int32_t result) {
  if (result >= 0) {
    accepted_ = SocketFd(loop_->backend().sockets(), result);
  } else {
    error_ = result;
  }
  task_->Wake();
}

void AcceptOp::OnCancel(Suspension& suspension) {
  AcceptOp& self = static_cast<AcceptOp&>(suspension);
  self.Unlink();
  self.Complete(-ECANCELED);
}

absl::StatusOr<TcpStream> AcceptOp::await_resume() {
  if (unusable_ == Unusable::kLoopEnded)
    return UnusableStatus(unusable_, "listener");
  if (error_ < 0) return ErrnoToStatus(-error_, "accept");
  try {
    return TcpStream::Adopt(*loop_, std::move(accepted_));
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
      std::make_unique<internal::ListenerCore>(loop, std::move(fd)));
}

void TcpListener::Close() {
  if (core_ != nullptr)
    internal::SocketCore::Abandon(std::move(core_), "a TcpListener");
}

absl::StatusOr<SocketAddress> TcpListener::LocalAddress() const {
  const Unusable why = LoopDependent::WhyUnusable(core_.get(), "a TcpListener");
  if (why != Unusable::kNo) return UnusableStatus(why, "listener");
  return SocketAddress::LocalOf(core_->sockets(), core_->fd());
}

}  // namespace ringway::net
