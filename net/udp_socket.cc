// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/udp_socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/socket/socket_core.h"

namespace ringway::net {
namespace internal {

class UdpCore final : public SocketCore {
 public:
  UdpCore(Loop& loop, SocketFd fd) : SocketCore(loop, std::move(fd)) {}

  void Begin(DatagramOp::InFlight& entry) {
    in_flight_.PushBack(entry);
    loop().Start(entry.op);
  }

  void End(DatagramOp::InFlight& entry) {
    entry.Unlink();
    CloseIfIdle();
  }

 private:
  bool InFlight() const override { return !in_flight_.empty(); }
  void OnAbandon() override {
    for (DatagramOp::InFlight* entry = in_flight_.front(); entry != nullptr;
         entry = in_flight_.Next(*entry))
      loop().Cancel(entry->op);
  }

  IntrusiveList<DatagramOp::InFlight> in_flight_;
};

DatagramOp::DatagramOp(UdpCore* core, DescribeFunction describe)
    : OperationAwait(&OnDone, &OnCancel, describe),
      core_(core),
      unusable_(LoopDependent::WhyUnusable(core, "a UdpSocket")),
      in_flight_(*this) {}

int DatagramOp::SocketFd() const { return core_ == nullptr ? -1 : core_->fd(); }

DatagramOp::~DatagramOp() {
  // Needed only if the frame is destroyed while it waits.
  if (in_flight_.linked()) core_->End(in_flight_);
}

void DatagramOp::SetMessage(const void* data, size_t n_bytes) {
  part_ = {.iov_base = const_cast<void*>(data), .iov_len = n_bytes};
  message_.msg_iov = &part_;
  message_.msg_iovlen = 1;
}

bool DatagramOp::Begin(std::coroutine_handle<> leaf, TaskContext& task) {
  if (unusable_ != Unusable::kNo) return task.SkipWait(leaf);
  core_->CheckAwaitedOn(task.loop(), "a UdpSocket");
  if (!Park(leaf, task)) return task.SkipWait(leaf);
  core_->Begin(in_flight_);
  return true;
}

void DatagramOp::OnDone(Runnable& entry) {
  DatagramOp& self = static_cast<DatagramOp&>(Of(entry));
  self.core_->End(self.in_flight_);
  self.Complete();
}

absl::Status DatagramOp::Failed(const char* what) const {
  if (unusable_ != Unusable::kNo)
    return UnusableStatus(unusable_, "UDP socket");
  if (result == -ECANCELED) return CancelledStatus();
  return ErrnoToStatus(-result,
                       absl::StrCat(what, " on a UDP socket, fd ", fd));
}

}  // namespace internal

// --- SendDatagramOp

SendDatagramOp::SendDatagramOp(internal::UdpCore* core,
                               std::span<const std::byte> bytes)
    : DatagramOp(core, &Describe) {
  PrepareSend(*this, SocketFd(), bytes);
}

SendDatagramOp::SendDatagramOp(internal::UdpCore* core,
                               std::span<const std::byte> bytes,
                               const SocketAddress& receiver)
    : DatagramOp(core, &Describe), receiver_(receiver) {
  SetMessage(bytes.data(), bytes.size());
  message_.msg_name = const_cast<sockaddr*>(receiver_.data());
  message_.msg_namelen = receiver_.size();
  PrepareSendMsg(*this, SocketFd(), message_);
}

std::string SendDatagramOp::Describe(const Suspension& suspension) {
  const SendDatagramOp& self =
      static_cast<const SendDatagramOp&>(Of(suspension));
  return self.receiver_.family() != AF_UNSPEC
             ? absl::StrCat("send to ", self.receiver_.ToString())
             : self.core_->DescribeWithPeer("send to ");
}

absl::Status SendDatagramOp::await_resume() const {
  const bool sent = result >= 0 && unusable_ == Unusable::kNo;
  return sent ? absl::OkStatus() : Failed("send");
}

// --- ReceiveDatagramOp

ReceiveDatagramOp::ReceiveDatagramOp(internal::UdpCore* core,
                                     std::span<std::byte> buffer,
                                     bool want_sender)
    : DatagramOp(core, &Describe), capacity_(buffer.size()) {
  if (!want_sender) {
    // MSG_TRUNC: the result is the full size of the datagram, even if it is
    // cut.
    PrepareRecv(*this, SocketFd(), buffer, MSG_TRUNC);
    return;
  }
  SetMessage(buffer.data(), buffer.size());
  message_.msg_name = &sender_;
  message_.msg_namelen = sizeof(sender_);
  PrepareRecvMsg(*this, SocketFd(), message_, MSG_TRUNC);
}

std::string ReceiveDatagramOp::Describe(const Suspension& suspension) {
  const ReceiveDatagramOp& self =
      static_cast<const ReceiveDatagramOp&>(Of(suspension));
  return self.core_->DescribeWithLocal("recv on ");
}

absl::StatusOr<Datagram> ReceiveDatagramOp::await_resume() const {
  if (result < 0 || unusable_ != Unusable::kNo) return Failed("receive");
  const size_t size = static_cast<size_t>(result);
  Datagram datagram;
  datagram.n_bytes = std::min(size, capacity_);
  datagram.truncated = size > capacity_;
  if (message_.msg_name != nullptr) {
    datagram.sender = SocketAddress::FromSockaddr(
        reinterpret_cast<const sockaddr*>(&sender_), message_.msg_namelen);
  }
  return datagram;
}

// --- UdpSocket

absl::StatusOr<UdpSocket> UdpSocket::Bind(Loop& loop,
                                          const SocketAddress& address,
                                          const UdpOptions& options) {
  if (address.family() != AF_INET && address.family() != AF_INET6) {
    return absl::InvalidArgumentError(
        absl::StrCat("a UDP socket cannot be bound to ", address.ToString()));
  }
  SocketCalls& sockets = loop.backend().sockets();
  SocketFd fd(sockets, sockets.Socket(address.family(), SOCK_DGRAM));
  if (!fd.valid()) {
    return ErrnoToStatus(-fd.get(),
                         absl::StrCat("UDP socket for ", address.ToString()));
  }
  absl::Status set =
      internal::SetUdpOptions(sockets, fd.get(), address.family(), options);
  if (!set.ok()) return set;
  const int error = sockets.Bind(fd.get(), address.data(), address.size());
  if (error != 0) {
    return ErrnoToStatus(-error,
                         absl::StrCat("bind UDP to ", address.ToString()));
  }
  try {
    return Adopt(loop, std::move(fd));
  } catch (const std::bad_alloc&) {
    return ErrnoToStatus(ENOMEM, "a UDP socket");
  }
}

absl::StatusOr<UdpSocket> UdpSocket::Bind(const SocketAddress& address,
                                          const UdpOptions& options) {
  return Bind(CurrentLoop(), address, options);
}

UdpSocket UdpSocket::Adopt(Loop& loop, UniqueFd fd) {
  return Adopt(loop, internal::TakeOver(loop, std::move(fd)));
}

UdpSocket UdpSocket::Adopt(Loop& loop, SocketFd fd) {
  return UdpSocket(std::make_unique<internal::UdpCore>(loop, std::move(fd)));
}

UdpSocket::UdpSocket(std::unique_ptr<internal::UdpCore> core)
    : core_(std::move(core)) {}

UdpSocket::UdpSocket(UdpSocket&&) noexcept = default;

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  if (this != &other) {
    Close();
    core_ = std::move(other.core_);
  }
  return *this;
}

UdpSocket::~UdpSocket() { Close(); }

absl::Status UdpSocket::Connect(const SocketAddress& peer) {
  const Unusable why = LoopDependent::WhyUnusable(core_.get(), "a UdpSocket");
  if (why != Unusable::kNo) return UnusableStatus(why, "UDP socket");
  const int error =
      core_->sockets().Connect(core_->fd(), peer.data(), peer.size());
  if (error == 0) return absl::OkStatus();
  return ErrnoToStatus(-error,
                       absl::StrCat("connect UDP to ", peer.ToString()));
}

absl::Status UdpSocket::Disconnect() {
  const absl::StatusOr<SocketAddress> before = LocalAddress();
  if (!before.ok()) return before.status();
  SocketCalls& sockets = core_->sockets();
  sockaddr none = {};
  none.sa_family = AF_UNSPEC;
  int error = sockets.Connect(core_->fd(), &none, sizeof(none));
  if (error != 0) return ErrnoToStatus(-error, "disconnect UDP");
  // Linux also takes away a port that it has chosen itself (__udp_disconnect()
  // in net/ipv4/udp.c).
  const absl::StatusOr<SocketAddress> after = LocalAddress();
  if (!after.ok() || *after == *before) return after.status();
  error = sockets.Bind(core_->fd(), before->data(), before->size());
  if (error == 0) return absl::OkStatus();
  return ErrnoToStatus(-error,
                       absl::StrCat("bind UDP to ", before->ToString()));
}

absl::Status UdpSocket::Join(const MulticastGroup& group) {
  return SetMembership(group, /*join=*/true);
}

absl::Status UdpSocket::Leave(const MulticastGroup& group) {
  return SetMembership(group, /*join=*/false);
}

absl::Status UdpSocket::SetMembership(const MulticastGroup& group, bool join) {
  const Unusable why = LoopDependent::WhyUnusable(core_.get(), "a UdpSocket");
  if (why != Unusable::kNo) return UnusableStatus(why, "UDP socket");
  return internal::SetMembership(core_->sockets(), core_->fd(), group, join);
}

void UdpSocket::Close() {
  if (core_ != nullptr)
    internal::SocketCore::Abandon(std::move(core_), "a UdpSocket");
}

absl::StatusOr<SocketAddress> UdpSocket::LocalAddress() const {
  const Unusable why = LoopDependent::WhyUnusable(core_.get(), "a UdpSocket");
  if (why != Unusable::kNo) return UnusableStatus(why, "UDP socket");
  return SocketAddress::LocalOf(core_->sockets(), core_->fd());
}

int UdpSocket::fd() const {
  LoopDependent::CheckUsable(core_.get(), "a UdpSocket");
  return core_->fd();
}

}  // namespace ringway::net
