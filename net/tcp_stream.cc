// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tcp_stream.h"

#include <sys/socket.h>

#include <utility>
#include <vector>

#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/structured/when.h"
#include "ringway/net/received_buffer.h"

namespace ringway::net {
namespace {

absl::StatusOr<SocketAddress> PeerOf(const internal::StreamCore* core) {
  const Unusable why = LoopDependent::WhyUnusable(core, "a TcpStream");
  if (why != Unusable::kNo) return UnusableStatus(why, "stream");
  return SocketAddress::PeerOf(core->sockets(), core->fd());
}

Task<absl::Status> EndWriting(TcpStream& stream) {
  co_return co_await stream.ShutdownWrite();
}

// Drops input until the peer's end.
Task<absl::Status> DropInput(TcpStream& stream) {
  while (true) {
    absl::StatusOr<ReceivedBuffer> unread = co_await stream.Receive();
    if (!unread.ok() || unread->empty()) co_return unread.status();
  }
}

// Both at once: a peer may have to be rid of its request before it reads the
// answer, which writes in progress wait for.
Task<absl::Status> FinishBothSides(TcpStream& stream) {
  std::vector<Task<absl::Status>> sides;
  sides.push_back(EndWriting(stream));
  sides.push_back(DropInput(stream));
  Task<std::vector<absl::Status>> both = WhenAll(std::move(sides));
  const std::vector<absl::Status> ended = co_await std::move(both);
  // A reset is what matters, also where the shutdown fails because of it.
  co_return ended[1].ok() ? ended[0] : ended[1];
}

Task<absl::Status> FinishAndClose(TcpStream stream, absl::Duration timeout) {
  Task<absl::Status> finish = FinishBothSides(stream);
  absl::Status finished = co_await WithTimeout(timeout, std::move(finish));
  absl::Status closed = co_await stream.Close();
  co_return finished.ok() ? closed : finished;
}

}  // namespace

TcpStream TcpStream::Adopt(Loop& loop, SocketFd fd) {
  return TcpStream(std::make_unique<internal::StreamCore>(loop, std::move(fd)));
}

TcpStream TcpStream::Adopt(Loop& loop, UniqueFd fd) {
  return Adopt(loop, internal::TakeOver(loop, std::move(fd)));
}

TcpStream& TcpStream::operator=(TcpStream&& other) noexcept {
  if (this != &other) {
    Drop();
    core_ = std::move(other.core_);
  }
  return *this;
}

void TcpStream::Drop() {
  if (core_ != nullptr)
    internal::SocketCore::Abandon(std::move(core_), "a TcpStream");
}

absl::StatusOr<SocketFd> TcpStream::Release() {
  const Unusable why = LoopDependent::WhyUnusable(core_.get(), "a TcpStream");
  if (why != Unusable::kNo) return UnusableStatus(why, "stream");
  SocketFd fd = core_->Release();
  if (!fd.valid()) {
    return absl::FailedPreconditionError(
        "a stream with operations in flight, or with bytes not taken, cannot "
        "be released");
  }
  Drop();
  return fd;
}

absl::StatusOr<SocketAddress> TcpStream::LocalAddress() const {
  const Unusable why = LoopDependent::WhyUnusable(core_.get(), "a TcpStream");
  if (why != Unusable::kNo) return UnusableStatus(why, "stream");
  return SocketAddress::LocalOf(core_->sockets(), core_->fd());
}

absl::Status TcpStream::SetOptions(const StreamOptions& options) {
  const absl::StatusOr<SocketAddress> local = LocalAddress();
  if (!local.ok()) return local.status();
  return internal::SetStreamOptions(core_->sockets(), core_->fd(),
                                    local->family(), options);
}

absl::StatusOr<SocketAddress> TcpStream::PeerAddress() const {
  return PeerOf(core_.get());
}

absl::StatusOr<SocketAddress> StreamReader::PeerAddress() const {
  return PeerOf(half_.core());
}

std::string StreamReader::PeerName() const {
  const internal::StreamCore* core = half_.core();
  if (LoopDependent::WhyUnusable(core, "a TcpStream") != Unusable::kNo)
    return {};
  return core->DescribeWithPeer("");
}

Task<absl::Status> TcpStream::CloseGracefully(absl::Duration timeout) {
  return FinishAndClose(std::move(*this), timeout);
}

size_t TcpStream::zero_copy_threshold() const {
  LoopDependent::CheckUsable(core_.get(), "a TcpStream");
  return core_->zero_copy_threshold();
}

void TcpStream::set_zero_copy_threshold(size_t n_bytes) {
  LoopDependent::CheckUsable(core_.get(), "a TcpStream");
  core_->set_zero_copy_threshold(n_bytes);
}

int TcpStream::fd() const {
  LoopDependent::CheckUsable(core_.get(), "a TcpStream");
  return core_->fd();
}

void TcpStream::Reset() {
  if (!valid()) return Drop();
  const linger discard = {.l_onoff = 1, .l_linger = 0};
  // If this fails, the close is an ordinary one.
  core_->sockets().SetOption(core_->fd(), SOL_SOCKET, SO_LINGER, &discard,
                             sizeof(discard));
  Drop();
}

}  // namespace ringway::net
