// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/datagram/datagram_ops.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"

namespace ringway::net {
namespace internal {

DatagramOp::DatagramOp(DatagramCore* core, const DatagramKind& kind,
                       DescribeFunction describe)
    : OperationAwait(&OnDone, &OnCancel, describe),
      core_(core),
      kind_(kind),
      unusable_(LoopDependent::WhyUnusable(core, kind.handle)),
      in_flight_(*this) {}

int DatagramOp::SocketFd() const {
  return unusable_ == Unusable::kNo ? core_->fd() : -1;
}

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
  core_->CheckAwaitedOn(task.loop(), kind_.handle);
  if (!Park(leaf, task)) return task.SkipWait(leaf);
  core_->Begin(in_flight_);
  return true;
}

void DatagramOp::OnDone(Runnable& entry) {
  DatagramOp& self = static_cast<DatagramOp&>(Of(entry));
  const bool cancelled = self.task().cancelled() || self.task().wait_ended();
  if (self.core_->Retry(self.in_flight_, cancelled)) return;
  self.core_->End(self.in_flight_);
  self.Complete();
}

void DatagramOp::OnCancel(Suspension& suspension) {
  DatagramOp& self = static_cast<DatagramOp&>(Of(suspension));
  self.core_->Cancel(self.in_flight_);
}

absl::Status DatagramOp::Failed(const char* what) const {
  if (unusable_ != Unusable::kNo)
    return UnusableStatus(unusable_, kind_.socket);
  if (result == -ECANCELED) return CancelledStatus();
  return ErrnoToStatus(-result,
                       absl::StrCat(what, " on a ", kind_.socket, ", fd ", fd));
}

}  // namespace internal

// --- SendDatagramOp

SendDatagramOp::SendDatagramOp(internal::DatagramCore* core,
                               const internal::DatagramKind& kind,
                               std::span<const std::byte> bytes)
    : DatagramOp(core, kind, &Describe) {
  PrepareSend(*this, SocketFd(), bytes,
              internal::DatagramCore::SendFlags(kind));
}

SendDatagramOp::SendDatagramOp(internal::DatagramCore* core,
                               const internal::DatagramKind& kind,
                               std::span<const std::byte> bytes,
                               const SocketAddress& receiver)
    : DatagramOp(core, kind, &Describe), receiver_(receiver) {
  SetMessage(bytes.data(), bytes.size());
  if (receiver_.family() != AF_UNSPEC) {
    message_.msg_name = const_cast<sockaddr*>(receiver_.data());
    message_.msg_namelen = receiver_.size();
  }
  PrepareSendMsg(*this, SocketFd(), message_,
                 internal::DatagramCore::SendFlags(kind));
}

std::string SendDatagramOp::Describe(const Suspension& suspension) {
  const SendDatagramOp& self =
      static_cast<const SendDatagramOp&>(Of(suspension));
  return self.receiver_.family() != AF_UNSPEC
             ? absl::StrCat("send to ", self.receiver_.ToString())
             : self.core_->DescribeWithPeer("send to ");
}

absl::Status SendDatagramOp::await_resume() const {
  return succeeded() ? absl::OkStatus() : Failed("send");
}

SendWithOptionsOp::SendWithOptionsOp(internal::DatagramCore* core,
                                     const internal::DatagramKind& kind,
                                     std::span<const std::byte> bytes,
                                     const SocketAddress& receiver,
                                     const SendOptions& options)
    : SendDatagramOp(core, kind, bytes, receiver),
      has_time_(options.transmit_at.has_value()) {
  if (SocketFd() < 0) return;
  const absl::StatusOr<SocketAddress> local = core->LocalAddress();
  const int family = local.ok() ? local->family() : AF_UNSPEC;
  message_.msg_controllen = internal::WriteControl(family, options, control_);
  if (message_.msg_controllen > 0) message_.msg_control = control_.bytes;
}

absl::Status SendWithOptionsOp::await_resume() const {
  if (succeeded() || !has_time_ || result != -EINVAL)
    return SendDatagramOp::await_resume();
  return Failed("send with a time, which needs UdpOptions::transmit_times,");
}

// --- ReceiveDatagramOp

ReceiveDatagramOp::ReceiveDatagramOp(internal::DatagramCore* core,
                                     const internal::DatagramKind& kind,
                                     std::span<std::byte> buffer,
                                     bool want_sender)
    : DatagramOp(core, kind, &Describe),
      capacity_(buffer.size()),
      lent_(SocketFd() >= 0 && core->has_receiver()) {
  // MSG_TRUNC: the result is the full size of the datagram, even if it is cut.
  if (!want_sender) {
    PrepareRecv(*this, SocketFd(), buffer, MSG_TRUNC);
    return;
  }
  SetMessage(buffer.data(), buffer.size());
  message_.msg_name = &sender_;
  message_.msg_namelen = sizeof(sender_);
  message_.msg_control = control_.bytes;
  message_.msg_controllen = sizeof(control_.bytes);
  PrepareRecvMsg(*this, SocketFd(), message_, MSG_TRUNC);
}

std::string ReceiveDatagramOp::Describe(const Suspension& suspension) {
  const ReceiveDatagramOp& self =
      static_cast<const ReceiveDatagramOp&>(Of(suspension));
  return self.core_->DescribeWithLocal("recv on ");
}

absl::StatusOr<Datagram> ReceiveDatagramOp::await_resume() const {
  if (lent_) {
    return absl::FailedPreconditionError(absl::StrCat(
        "this ", kind_.socket, " receives lent datagrams: use ReceiveLent()"));
  }
  if (!succeeded()) return Failed("receive");
  const size_t size = static_cast<size_t>(result);
  Datagram datagram;
  datagram.n_bytes = std::min(size, capacity_);
  datagram.truncated = size > capacity_;
  if (message_.msg_name == nullptr) return datagram;
  datagram.sender = SocketAddress::FromSockaddr(
      reinterpret_cast<const sockaddr*>(&sender_), message_.msg_namelen);
  internal::ReadControl(
      std::span(control_.bytes).first(message_.msg_controllen), datagram);
  return datagram;
}

// --- TakeDatagramErrorOp

TakeDatagramErrorOp::TakeDatagramErrorOp(internal::DatagramCore* core,
                                         const internal::DatagramKind& kind)
    : DatagramOp(core, kind, &Describe) {
  SetMessage(nullptr, 0);
  message_.msg_name = &destination_;
  message_.msg_namelen = sizeof(destination_);
  message_.msg_control = control_.bytes;
  message_.msg_controllen = sizeof(control_.bytes);
  PrepareRecvMsg(*this, SocketFd(), message_, MSG_ERRQUEUE | MSG_DONTWAIT);
}

std::string TakeDatagramErrorOp::Describe(const Suspension& suspension) {
  const TakeDatagramErrorOp& self =
      static_cast<const TakeDatagramErrorOp&>(Of(suspension));
  return self.core_->DescribeWithLocal("the error queue of ");
}

absl::StatusOr<std::optional<DatagramError>> TakeDatagramErrorOp::await_resume()
    const {
  if (unusable_ == Unusable::kNo && result == -EAGAIN) return std::nullopt;
  if (!succeeded()) return Failed("take an error");
  DatagramError error;
  if (!internal::ReadErrorControl(
          std::span(control_.bytes).first(message_.msg_controllen), error)) {
    return std::nullopt;
  }
  error.destination = SocketAddress::FromSockaddr(
      reinterpret_cast<const sockaddr*>(&destination_), message_.msg_namelen);
  return std::optional(error);
}

}  // namespace ringway::net
