// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/datagram/datagram_core.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"

namespace ringway::net::internal {
namespace {

// Between two attempts to send to a receiver without room.
constexpr absl::Duration kFirstPause = absl::Microseconds(50);
constexpr absl::Duration kLongestPause = absl::Milliseconds(5);

bool IsSend(const Operation& operation) {
  return operation.opcode == OpCode::kSend ||
         operation.opcode == OpCode::kSendMsg;
}

// The address that a send names; empty: the socket's peer.
std::string_view ReceiverOf(const Operation& send) {
  if (send.opcode != OpCode::kSendMsg) return {};
  const msghdr& message = *static_cast<const msghdr*>(send.address);
  return {static_cast<const char*>(message.msg_name), message.msg_namelen};
}

}  // namespace

DatagramCore::DatagramCore(Loop& loop, SocketFd fd, const DatagramKind& kind)
    : SocketCore(loop, std::move(fd)),
      kind_(kind),
      again_(*this),
      pause_(kFirstPause) {}

DatagramCore::~DatagramCore() {
  if (!loop_ended()) StopWaiting();
}

bool DatagramCore::WaitsForReceiverOf(const Operation& operation) {
  for (Entry* entry = waiting_.front(); entry != nullptr;
       entry = waiting_.Next(*entry)) {
    if (ReceiverOf(entry->operation) == ReceiverOf(operation)) return true;
  }
  return false;
}

bool DatagramCore::sending() {
  if (!waiting_.empty()) return true;
  for (Entry* entry = in_flight_.front(); entry != nullptr;
       entry = in_flight_.Next(*entry)) {
    if (IsSend(entry->operation)) return true;
  }
  return false;
}

void DatagramCore::Begin(Entry& entry) {
  entry.refused = false;
  if (IsSend(entry.operation) && WaitsForReceiverOf(entry.operation)) {
    entry.waiting = true;
    waiting_.PushBack(entry);
    return;
  }
  in_flight_.PushBack(entry);
  loop().Start(entry.operation);
}

// There is no event for room at a receiver that is not the socket's peer. And
// Linux 6.18 sends a Unix datagram that io_uring has to try again empty: it has
// read the bytes at the first attempt. So the kernel makes one attempt.
bool DatagramCore::Retry(Entry& entry, bool cancelled) {
  Operation& operation = entry.operation;
  if (!kind_.retries || operation.result != -EAGAIN || !IsSend(operation))
    return false;
  if (cancelled || abandoned()) {
    operation.result = -ECANCELED;
    return false;
  }
  entry.Unlink();
  entry.waiting = true;
  entry.refused = true;
  waiting_.PushBack(entry);
  if (!again_.timer.armed() && !again_.linked()) {
    loop().ArmTimer(again_.timer, loop().now() + pause_);
    pause_ = std::min(2 * pause_, kLongestPause);
  }
  return true;
}

void DatagramCore::Again::OnTime(Runnable& entry) {
  DatagramCore& core = static_cast<Again&>(entry).core;
  while (Entry* waiting = core.waiting_.PopFront()) {
    waiting->waiting = false;
    core.in_flight_.PushBack(*waiting);
    core.loop().Start(waiting->operation);
  }
}

void DatagramCore::End(Entry& entry) {
  if (entry.refused && entry.operation.result >= 0) pause_ = kFirstPause;
  entry.Unlink();
  CloseIfIdle();
}

void DatagramCore::Cancel(Entry& entry) {
  if (!entry.waiting) {
    loop().Cancel(entry.operation);
    return;
  }
  entry.Unlink();
  entry.waiting = false;
  in_flight_.PushBack(entry);
  entry.operation.state = OpState::kDone;
  entry.operation.result = -ECANCELED;
  loop().Schedule(entry.operation);
}

void DatagramCore::StopWaiting() {
  loop().DisarmTimer(again_.timer);
  if (again_.linked()) again_.Unlink();
}

DatagramReceiver& DatagramCore::receiver() {
  if (!receiver_.has_value()) receiver_.emplace(*this);
  return *receiver_;
}

bool DatagramCore::InFlight() const {
  return !in_flight_.empty() || !waiting_.empty() ||
         (receiver_.has_value() && receiver_->in_progress());
}

void DatagramCore::OnAbandon() {
  if (receiver_.has_value()) receiver_->Abandon();
  StopWaiting();
  for (Entry* entry = in_flight_.front(); entry != nullptr;
       entry = in_flight_.Next(*entry))
    Cancel(*entry);
  while (!waiting_.empty()) Cancel(*waiting_.front());
}

// No task is left that could send or receive.
void DatagramCore::OnLoopEnd() {
  StopWaiting();
  receiver_.reset();
  SocketCore::OnLoopEnd();
}

absl::Status DatagramCore::Connect(const SocketAddress& peer) {
  const int error = sockets().Connect(fd(), peer.data(), peer.size());
  if (error == 0) return absl::OkStatus();
  return ErrnoToStatus(-error, absl::StrCat("connect a ", kind_.socket, " to ",
                                            peer.ToString()));
}

absl::Status DatagramCore::Disconnect() {
  const absl::StatusOr<SocketAddress> before = LocalAddress();
  if (!before.ok()) return before.status();
  sockaddr none = {};
  none.sa_family = AF_UNSPEC;
  int error = sockets().Connect(fd(), &none, sizeof(none));
  if (error != 0)
    return ErrnoToStatus(-error, absl::StrCat("disconnect a ", kind_.socket));
  // Linux also takes away a port that it has chosen itself (__udp_disconnect()
  // in net/ipv4/udp.c).
  const absl::StatusOr<SocketAddress> after = LocalAddress();
  if (!after.ok() || *after == *before) return after.status();
  error = sockets().Bind(fd(), before->data(), before->size());
  if (error == 0) return absl::OkStatus();
  return ErrnoToStatus(-error, absl::StrCat("bind a ", kind_.socket, " to ",
                                            before->ToString()));
}

}  // namespace ringway::net::internal
