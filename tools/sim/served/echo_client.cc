// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/served/echo_client.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/structured/when.h"
#include "ringway/tools/sim/payload_stream.h"
#include "ringway/tools/sim/stream_use.h"

namespace ringway::simulation {
namespace {

constexpr uint64_t kMaxMessages = 3;
constexpr uint64_t kMaxMessageBytes = 6000;
constexpr uint64_t kMaxPieceBytes = 3000;
constexpr absl::Duration kSendPatience = absl::Milliseconds(50);

}  // namespace

EchoClient::EchoClient(Trial& trial, const net::SocketAddress& server,
                       uint64_t number)
    : trial_(trial), server_(server), stream_(number * SessionsIn(trial)) {}

uint64_t EchoClient::SessionsIn(const Trial& trial) {
  return trial.small() ? 1 : 3;
}

Task<absl::Status> EchoClient::Run() {
  const uint64_t end = stream_ + SessionsIn(trial_);
  for (; stream_ < end; ++stream_) {
    offset_sent_ = offset_received_ = 0;
    over_ = false;
    absl::Status status = co_await RunSession();
    if (!status.ok()) co_return status;
  }
  co_return absl::OkStatus();
}

Task<absl::Status> EchoClient::RunSession() {
  absl::StatusOr<net::TcpStream> stream =
      co_await ConnectSomehow(trial_, server_);
  if (!stream.ok()) co_return Judge("connecting", stream.status());
  absl::Status status = co_await Converse(*stream);
  if (!status.ok()) co_return status;
  co_return co_await Leave(*std::move(stream));
}

// Sends one message after the other, or sends and receives in two tasks; then
// ends.
Task<absl::Status> EchoClient::Converse(net::TcpStream& stream) {
  const bool at_once = trial_.rng().Chance(0.4);
  Task<absl::Status> talk = at_once ? AllAtOnce(stream) : TakeTurns(stream);
  absl::Status status = co_await std::move(talk);
  if (!status.ok() || over_) co_return status;
  co_return co_await Finish(stream);
}

// Waits for each reply, or sends all messages before reading the first reply.
// With faults it may also leave early.
Task<absl::Status> EchoClient::TakeTurns(net::TcpStream& stream) {
  Rng& rng = trial_.rng();
  const bool in_one_go = rng.Chance(0.3);
  absl::Status status;
  for (uint64_t n = rng.Between(1, kMaxMessages);
       n > 0 && status.ok() && !over_; --n) {
    const uint64_t end = offset_sent_ + rng.Between(1, kMaxMessageBytes);
    status = co_await SendUntil(stream, end);
    if (status.ok() && !over_ && !in_one_go)
      status = co_await ReceiveUntil(stream, end);
    if (trial_.faults() && rng.Chance(0.05)) over_ = true;
  }
  co_return status;
}

Task<absl::Status> EchoClient::AllAtOnce(net::TcpStream& stream) {
  const uint64_t end = trial_.rng().Between(1, kMaxMessages * kMaxMessageBytes);
  Task<absl::Status> there = SendUntil(stream, end);
  Task<absl::Status> back = ReceiveUntil(stream, end);
  auto [sent, received] = co_await WhenAll(std::move(there), std::move(back));
  co_return sent.ok() ? received : sent;
}

// Stops sending and receives the remaining bytes until the end.
Task<absl::Status> EchoClient::Finish(net::TcpStream& stream) {
  const absl::Status shut = co_await stream.ShutdownWrite();
  // After a reset there is no connection; a receive reports it.
  const bool is_reset = ErrnoOf(shut) == ENOTCONN && trial_.may_fail();
  if (!shut.ok() && !is_reset) co_return Break(stream, "shutting down", shut);
  absl::Status status = co_await ReceiveUntil(stream, offset_sent_);
  if (!status.ok() || over_) co_return status;
  co_return co_await ExpectEnd(stream);
}

Task<absl::Status> EchoClient::ExpectEnd(net::TcpStream& stream) {
  std::string bytes;
  Task<absl::StatusOr<size_t>> receive =
      ReceiveSomehow(trial_, stream.reader(), bytes);
  const absl::StatusOr<size_t> n = co_await std::move(receive);
  if (!n.ok()) co_return Break(stream, "receiving the end", n.status());
  if (*n > 0)
    co_return absl::InternalError(absl::StrCat(
        "stream ", stream_, " differs: ", *n, " bytes after the last reply"));
  co_return absl::OkStatus();
}

// In a random way.
Task<absl::Status> EchoClient::Leave(net::TcpStream stream) {
  switch (trial_.rng().Below(3)) {
    case 0:
      co_return absl::OkStatus();
    case 1:
      stream.Reset();
      co_return absl::OkStatus();
    default:
      co_return Judge("closing", co_await stream.Close());
  }
}

// The progress of a cancelled write is unknown, so the session ends.
Task<absl::Status> EchoClient::SendUntil(net::TcpStream& stream, uint64_t end) {
  Rng& rng = trial_.rng();
  while (offset_sent_ < end && !over_) {
    std::vector<std::byte> piece(
        rng.Between(1, std::min(kMaxPieceBytes, end - offset_sent_)));
    FillPayload(stream_, offset_sent_, piece);
    Task<absl::Status> send = SendSomehow(trial_, stream.writer(), piece);
    if (trial_.faults() && rng.Chance(0.05)) {
      send = WithTimeout(rng.Between(absl::ZeroDuration(), kSendPatience),
                         std::move(send));
    }
    const absl::Status sent = co_await std::move(send);
    if (!sent.ok()) co_return Break(stream, "sending", sent);
    offset_sent_ += piece.size();
  }
  co_return absl::OkStatus();
}

Task<absl::Status> EchoClient::ReceiveUntil(net::TcpStream& stream,
                                            uint64_t end) {
  while (offset_received_ < end && !over_) {
    std::string bytes;
    Task<absl::StatusOr<size_t>> receive =
        ReceiveSomehow(trial_, stream.reader(), bytes);
    const absl::StatusOr<size_t> n = co_await std::move(receive);
    if (!n.ok()) co_return Break(stream, "receiving", n.status());
    if (*n == 0)
      co_return Break(stream, "receiving",
                      ErrnoToStatus(ECONNRESET, "the stream has ended early"));
    if (!IsPayload(stream_, offset_received_, std::as_bytes(std::span(bytes))))
      co_return absl::DataLossError(
          absl::StrCat("stream ", stream_, " differs within ", *n,
                       " bytes after ", offset_received_));
    offset_received_ += *n;
  }
  co_return absl::OkStatus();
}

absl::Status EchoClient::Break(net::TcpStream& stream, std::string_view what,
                               const absl::Status& status) {
  if (over_) return absl::OkStatus();
  over_ = true;
  stream.Reset();
  return Judge(what, status);
}

absl::Status EchoClient::Judge(std::string_view what,
                               const absl::Status& status) {
  return trial_.Judge(absl::StrCat("stream ", stream_, ": ", what), status);
}

}  // namespace ringway::simulation
