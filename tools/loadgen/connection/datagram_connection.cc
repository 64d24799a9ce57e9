// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/datagram_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/socket_address.h"
#include "ringway/tools/loadgen/connection/loop_now.h"
#include "ringway/tools/loadgen/payload.h"

namespace ringway::loadgen {
namespace {

// Datagrams of a connection that are sent, and taken, together.
constexpr size_t kMostSentAtOnce = 64;
constexpr size_t kMostTakenAtOnce = 16;

// A request begins with the numbers of its connection and of itself, in the
// machine's own order: the reply comes back to this process.
constexpr size_t kNumberAt = sizeof(uint32_t);
static_assert(kNumberAt + sizeof(uint64_t) == kLeastDatagram);

void FillDatagram(uint32_t connection, uint64_t number,
                  std::span<std::byte> datagram) {
  memcpy(datagram.data(), &connection, sizeof(connection));
  memcpy(&datagram[kNumberAt], &number, sizeof(number));
  FillRequest(connection, number, datagram.subspan(kLeastDatagram));
}

// Any port, of the family of `peer`.
absl::StatusOr<net::SocketAddress> AnyAddressFor(
    const net::SocketAddress& peer) {
  return net::SocketAddress::Ip(peer.family() == AF_INET6 ? "::" : "0.0.0.0",
                                0);
}

}  // namespace

DatagramConnection::DatagramConnection(const Mode& mode, uint32_t index)
    : mode_(mode),
      index_(index),
      received_(kMostTakenAtOnce),
      expected_(mode.size) {}

Task<absl::Status> DatagramConnection::Open(absl::Duration) {
  const absl::StatusOr<net::SocketAddress> any =
      AnyAddressFor(mode_.target.address);
  if (!any.ok()) co_return any.status();
  absl::StatusOr<net::UdpSocket> socket = net::UdpSocket::Bind(*any);
  if (!socket.ok()) co_return socket.status();
  absl::Status connected = socket->Connect(mode_.target.address);
  if (!connected.ok()) co_return connected;
  while (!in_flight_.empty()) in_flight_.TakeOldest();
  socket_.emplace(*std::move(socket));
  co_return absl::OkStatus();
}

Task<absl::Status> DatagramConnection::Close() {
  received_.clear();
  received_.resize(kMostTakenAtOnce);
  socket_.reset();
  co_return absl::OkStatus();
}

Task<absl::Status> DatagramConnection::Run(RequestSource& source) {
  TaskScope scope;
  scope.Spawn(SendWhenDue(source, scope)).Detach();
  scope.Spawn(ReceiveReplies(source)).Detach();
  scope.Spawn(WatchForLosses(source)).Detach();
  co_return co_await scope.Join();
}

Task<absl::Status> DatagramConnection::SendWhenDue(RequestSource& source,
                                                   TaskScope& scope) {
  while (true) {
    const size_t n = source.Take(kMostSentAtOnce);
    if (n == 0) {
      if (source.ended() && in_flight_.empty()) break;
      absl::Status woken = co_await source.due().Wait();
      if (!woken.ok()) co_return woken;
      continue;
    }
    Fill(n);
    if (n == 1) {
      absl::Status sent = co_await socket_->Send(batch_.front().bytes);
      if (!sent.ok()) co_return sent;
      continue;
    }
    // Makes this frame larger than those that are kept: it is made once.
    absl::StatusOr<size_t> sent =
        co_await socket_->SendBatch(std::span(batch_).first(n));
    if (!sent.ok()) co_return sent.status();
    if (*sent == n) continue;
    const auto failed =
        std::find_if(batch_.begin(), batch_.begin() + static_cast<ptrdiff_t>(n),
                     [](const auto& datagram) { return datagram.error != 0; });
    co_return ErrnoToStatus(failed->error, "sending a datagram");
  }
  scope.Cancel();  // the others would wait for ever
  co_return absl::OkStatus();
}

Task<absl::Status> DatagramConnection::ReceiveReplies(RequestSource& source) {
  while (true) {
    absl::StatusOr<size_t> n = co_await socket_->ReceiveBatch(received_);
    if (!n.ok()) co_return n.status();
    for (size_t i = 0; i < *n; ++i) {
      absl::Status taken = Take(received_[i], source);
      if (!taken.ok()) co_return taken;
    }
    if (source.ended()) source.due().NotifyOne();
  }
}

Task<absl::Status> DatagramConnection::WatchForLosses(RequestSource& source) {
  while (true) {
    const MonotonicTime since =
        in_flight_.empty() ? LoopNow() : in_flight_.oldest();
    absl::Status slept = co_await SleepUntil(since + mode_.loss_timeout);
    if (!slept.ok()) co_return slept;
    const MonotonicTime now = LoopNow();
    while (!in_flight_.empty() &&
           in_flight_.oldest() + mode_.loss_timeout <= now) {
      const uint64_t number = in_flight_.oldest_number();
      in_flight_.TakeOldest();
      source.OnLost(number);
    }
    if (source.ended()) source.due().NotifyOne();
  }
}

void DatagramConnection::Fill(size_t n) {
  if (batch_.size() < n) {
    batch_.resize(n);
    outgoing_.resize(n * mode_.size);
  }
  const MonotonicTime now = LoopNow();
  for (size_t i = 0; i < n; ++i) {
    const std::span<std::byte> datagram =
        std::span(outgoing_).subspan(i * mode_.size, mode_.size);
    FillDatagram(index_, in_flight_.next(), datagram);
    batch_[i].bytes = datagram;
    in_flight_.Add(now);
  }
}

absl::Status DatagramConnection::Take(const net::LentDatagram& reply,
                                      RequestSource& source) {
  const std::span<const std::byte> bytes = reply.bytes.bytes();
  if (bytes.size() != mode_.size) {
    return absl::DataLossError(absl::StrCat(
        "a reply of ", bytes.size(), " bytes to requests of ", mode_.size));
  }
  uint32_t connection = 0;
  uint64_t number = 0;
  memcpy(&connection, bytes.data(), sizeof(connection));
  memcpy(&number, &bytes[kNumberAt], sizeof(number));
  if (connection != index_ || number >= in_flight_.next()) {
    return absl::DataLossError("a reply to a request that was not sent");
  }
  if (absl::Status same = CheckReply(bytes, number); !same.ok()) return same;
  if (in_flight_.Take(number).has_value()) {
    source.OnAnswered(number);
  } else {
    source.OnStray();
  }
  return absl::OkStatus();
}

absl::Status DatagramConnection::CheckReply(std::span<const std::byte> reply,
                                            uint64_t number) {
  if (!mode_.verify) return absl::OkStatus();
  FillDatagram(index_, number, expected_);
  if (memcmp(reply.data(), expected_.data(), reply.size()) == 0)
    return absl::OkStatus();
  const auto differs =
      std::mismatch(reply.begin(), reply.end(), expected_.begin());
  return absl::DataLossError(
      absl::StrCat("byte ", differs.first - reply.begin(),
                   " of the reply to request ", number, " differs"));
}

}  // namespace ringway::loadgen
