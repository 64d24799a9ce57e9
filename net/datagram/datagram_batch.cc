// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/datagram/datagram_batch.h"

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "ringway/backends/prepare.h"
#include "ringway/executor/task/executor.h"

namespace ringway::net {

using ringway::internal::WaitEnd;

namespace {

// Points `message` and its `part` at a datagram.
void SetMessage(const OutgoingDatagram& datagram, msghdr& message,
                iovec& part) {
  part = {.iov_base = const_cast<std::byte*>(datagram.bytes.data()),
          .iov_len = datagram.bytes.size()};
  message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (datagram.receiver.family() == AF_UNSPEC) return;
  message.msg_name = const_cast<sockaddr*>(datagram.receiver.data());
  message.msg_namelen = datagram.receiver.size();
}

}  // namespace

SendBatchOp::SendBatchOp(internal::DatagramCore* core,
                         const internal::DatagramKind& kind,
                         std::span<OutgoingDatagram> batch)
    : Wait(&Describe),
      core_(core),
      kind_(kind),
      unusable_(LoopDependent::WhyUnusable(core, kind.handle)),
      batch_(batch) {
  for (OutgoingDatagram& datagram : batch_) datagram.error = ECANCELED;
}

SendBatchOp::~SendBatchOp() {
  // Needed only if the frame is destroyed while it waits.
  if (!slots_.has_value()) return;
  for (Slot& slot : *slots_) {
    if (slot.in_flight.linked()) core_->End(slot.in_flight);
  }
}

WaitEnd SendBatchOp::Admit() {
  if (unusable_ != Unusable::kNo) return WaitEnd::kUnusable;
  core_->CheckAwaitedOn(task().loop(), kind_.handle);
  return WaitEnd::kWaiting;
}

WaitEnd SendBatchOp::Begin() {
  if (!core_->sending()) SendAtOnce();
  if (next_ == batch_.size()) return WaitEnd::kServed;
  slots_.emplace();
  for (Slot& slot : *slots_) {
    slot.owner = this;
    if (!StartNext(slot)) break;
  }
  return n_in_flight_ == 0 ? WaitEnd::kServed : WaitEnd::kWaiting;
}

void SendBatchOp::SendAtOnce() {
  std::array<mmsghdr, kAtOnce> messages;
  std::array<iovec, kAtOnce> parts;
  const size_t n = std::min(kAtOnce, batch_.size());
  if (n == 0) return;
  for (size_t i = 0; i < n; ++i)
    SetMessage(batch_[i], messages[i].msg_hdr, parts[i]);
  const int sent = core_->sockets().SendMessages(core_->fd(), messages.data(),
                                                 static_cast<unsigned>(n));
  if (sent == -EAGAIN || sent == -EINTR) return;
  // sendmmsg(2) tells the error of the first datagram only; that of a later one
  // recurs when an operation sends it.
  if (sent < 0) EndFirst(-sent);
  for (int i = 0; i < sent; ++i) EndFirst(0);
}

void SendBatchOp::EndFirst(int error) {
  batch_[next_++].error = error;
  ++n_ended_;
  if (error == 0) ++n_sent_;
}

bool SendBatchOp::StartNext(Slot& slot) {
  if (stopped_ || core_->abandoned() || next_ == batch_.size()) return false;
  OutgoingDatagram& datagram = batch_[next_++];
  slot.datagram = &datagram;
  SetMessage(datagram, slot.message, slot.part);
  PrepareSendMsg(slot, core_->fd(), slot.message,
                 internal::DatagramCore::SendFlags(kind_));
  core_->Begin(slot.in_flight);
  ++n_in_flight_;
  return true;
}

// The memory is the kernel's until the sends have ended.
bool SendBatchOp::Leave() {
  stopped_ = true;
  for (Slot& slot : *slots_) {
    if (slot.in_flight.linked()) core_->Cancel(slot.in_flight);
  }
  return false;
}

void SendBatchOp::OnDone(Runnable& entry) {
  Slot& slot = static_cast<Slot&>(static_cast<Operation&>(entry));
  SendBatchOp& self = *slot.owner;
  if (self.core_->Retry(slot.in_flight, self.stopped_)) return;
  --self.n_in_flight_;
  slot.datagram->error = slot.result < 0 ? -slot.result : 0;
  if (slot.result >= 0) ++self.n_sent_;
  if (slot.result != -ECANCELED) ++self.n_ended_;
  self.core_->End(slot.in_flight);
  if (self.StartNext(slot) || self.n_in_flight_ > 0) return;
  const bool all = self.n_ended_ == self.batch_.size();
  self.CompleteNow(all ? WaitEnd::kServed : WaitEnd::kCancelled);
}

std::string SendBatchOp::Describe(const Suspension& suspension) {
  const SendBatchOp& self = Of(suspension);
  return self.core_->DescribeWithLocal(
      absl::StrCat("send ", self.batch_.size(), " datagrams from "));
}

absl::StatusOr<size_t> SendBatchOp::await_resume() const {
  if (unusable_ != Unusable::kNo)
    return UnusableStatus(unusable_, kind_.socket);
  if (!served()) return status();
  return n_sent_;
}

}  // namespace ringway::net
