// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/socket_core.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/net/socket_address.h"

namespace ringway::net::internal {
namespace {

// Not that of a Unix socket without a name.
bool IsName(const absl::StatusOr<SocketAddress>& address) {
  if (!address.ok() || address->family() == AF_UNSPEC) return false;
  return address->size() > sizeof(sa_family_t);
}

}  // namespace

std::string SocketCore::DescribeWithPeer(std::string_view action) const {
  const absl::StatusOr<SocketAddress> peer =
      SocketAddress::PeerOf(sockets(), fd());
  return IsName(peer) ? absl::StrCat(action, peer->ToString())
                      : DescribeWithLocal(action);
}

std::string SocketCore::DescribeWithLocal(std::string_view action) const {
  const absl::StatusOr<SocketAddress> local =
      SocketAddress::LocalOf(sockets(), fd());
  return absl::StrCat(
      action, IsName(local) ? local->ToString() : absl::StrCat("fd ", fd()));
}

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

void SocketCore::CloseAbandonedIfIdle() {
  if (Burial::linked() || InFlight()) return;
  const int32_t result = fd_.Close();
  OnClosed();
  if (closer_ != nullptr) closer_->on_closed(*closer_, result);
  // Deferred, because a task may drop its stream while the core resumes it.
  loop_.Schedule(static_cast<Burial&>(*this));
}

void SocketCore::OnBurial(Runnable& entry) {
  SocketCore& core = static_cast<SocketCore&>(static_cast<Burial&>(entry));
  core.loop_.Bury(core);
}

SocketFd TakeOver(Loop& loop, UniqueFd fd) {
  SocketCalls& sockets = loop.backend().sockets();
  if (fd.valid()) sockets.SetMode(fd.get());
  return SocketFd(sockets, fd.Release());
}

}  // namespace ringway::net::internal
