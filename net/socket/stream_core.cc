// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/stream_core.h"

#include <sys/socket.h>

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/core/check.h"
#include "ringway/core/usdt.h"
#include "ringway/net/socket/stream_watch.h"
#include "ringway/net/socket_address.h"

namespace ringway::net::internal {

void StreamHalf::Link(StreamCore* core) {
  if (core == nullptr) return;
  if (!core->loop_ended()) core->loop().CheckThread("a half of a TcpStream");
  core_ = core;
  core->halves_.PushBack(*this);
}

void StreamHalf::Unlink() {
  if (core_ == nullptr) return;
  if (!core_->loop_ended() && !core_->loop().forked())
    core_->loop().CheckThread("a half of a TcpStream");
  core_ = nullptr;
  ListNode::Unlink();
}

void StreamCore::CutOffHalves() {
  while (StreamHalf* half = halves_.PopFront()) half->core_ = nullptr;
}

// No task is left that could read or write.
void StreamCore::OnLoopEnd() {
  receiver_.reset();
  SocketCore::OnLoopEnd();
}

bool StreamCore::IsUnix() {
  if (!is_unix_) {
    int family = 0;
    socklen_t length = sizeof(family);
    const int error =
        sockets().GetOption(fd(), SOL_SOCKET, SO_DOMAIN, &family, length);
    is_unix_ = error == 0 && family == AF_UNIX;
  }
  return *is_unix_;
}

void StreamCore::BeginRead(Operation& read) {
  RINGWAY_CHECK(reader_ == nullptr, "two tasks read from one %s", kind_.socket);
  reader_ = &read;
  if (receiver_.has_value()) [[unlikely]] {
    receiver_->HandOver(read);
  } else {
    loop().Start(read);
  }
}

bool StreamCore::CancelRead(Operation& read) {
  if (receiver_.has_value() && receiver_->LeaveHandOver(read)) {
    EndRead();
    return true;
  }
  loop().Cancel(read);
  return false;
}

void StreamCore::StartNextWrite() {
  Operation& next = *waiting_writers_.PopFront();
  ContinueWrite(next);
  if (abandoned()) loop().Cancel(next);
}

bool StreamCore::CancelWrite(Operation& write) {
  if (writer_ == &write) {
    loop().Cancel(write);
    return false;
  }
  write.Unlink();
  CloseIfIdle();
  return true;
}

size_t StreamCore::zero_copy_threshold() {
  if (zero_copy_threshold_ == kUnknown) {
    const absl::StatusOr<SocketAddress> peer =
        SocketAddress::PeerOf(sockets(), fd());
    const bool over_network = peer.ok() && peer->family() != AF_UNIX &&
                              !peer->Unmapped().is_loopback();
    zero_copy_threshold_ = over_network ? kZeroCopyBytes : kNever;
  }
  return zero_copy_threshold_ == kNever ? SIZE_MAX : zero_copy_threshold_;
}

SocketFd StreamCore::Release() {
  if (InFlight() || (receiver_.has_value() && receiver_->ready())) return {};
  return TakeFd();
}

void StreamCore::set_watch(StreamWatch* watch) {
  RINGWAY_CHECK(watch == nullptr || watch_ == nullptr,
                "two watches of one stream");
  watch_ = watch;
}

void StreamCore::OnClosed() {
  if (StreamWatch* watch = std::exchange(watch_, nullptr))
    watch->OnClosed(traffic_);
}

bool StreamCore::InFlight() const {
  return reader_ != nullptr || writer_ != nullptr ||
         !waiting_writers_.empty() ||
         (receiver_.has_value() && receiver_->in_progress());
}

// Halves of the stream may still be in use by other tasks: their operations end
// as cancelled. Waiting writes start one by one as their predecessors end, and
// are cancelled then.
void StreamCore::OnAbandon() {
  RINGWAY_PROBE1(stream__end, static_cast<int64_t>(fd()));
  CutOffHalves();
  if (receiver_.has_value()) receiver_->Abandon();
  if (reader_ != nullptr) loop().Cancel(*reader_);
  if (writer_ != nullptr) loop().Cancel(*writer_);
}

}  // namespace ringway::net::internal
