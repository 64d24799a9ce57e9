// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/socket_core.h"

namespace ringway::net::internal {

void SocketCore::Abandon(std::unique_ptr<SocketCore> core, const char* what,
                         Closer* closer) {
  if (LetGoWithoutLoop(core, what)) return;
  SocketCore& self = *core;
  self.abandoned_ = true;
  self.closer_ = closer;
  self.loop_.Adopt(std::move(core));
  self.OnAbandon();
  self.CloseIfIdle();
}

void SocketCore::CloseIfIdle() {
  if (!abandoned_ || burial_.linked() || InFlight()) return;
  const int32_t result = fd_.Close();
  if (closer_ != nullptr) closer_->on_closed(*closer_, result);
  // A task may have dropped its stream where the core itself has resumed it.
  loop_.Schedule(burial_);
}

void SocketCore::Burial::OnTurn(Runnable& entry) {
  SocketCore& core = static_cast<Burial&>(entry).core;
  core.loop_.Bury(core);
}

SocketFd TakeOver(Loop& loop, UniqueFd fd) {
  SocketCalls& sockets = loop.backend().sockets();
  if (fd.valid()) sockets.SetMode(fd.get());
  return SocketFd(sockets, fd.Release());
}

}  // namespace ringway::net::internal
