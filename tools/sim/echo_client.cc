// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/echo_client.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "absl/strings/str_cat.h"
#include "ringway/tools/sim/luck.h"
#include "ringway/tools/sim/operations.h"
#include "ringway/tools/sim/payload_stream.h"

namespace ringway::simulation {
namespace {

constexpr uint64_t kMaxMessages = 3;
constexpr uint64_t kMaxMessageBytes = 3000;

}  // namespace

EchoClient::EchoClient(Simulation& simulation, const sockaddr_in& server,
                       uint64_t number)
    : simulation_(simulation),
      server_(server),
      stream_(number * SessionsIn(simulation)) {}

uint64_t EchoClient::SessionsIn(const Simulation& simulation) {
  return simulation.small() ? 1 : 3;
}

Task<absl::Status> EchoClient::Run() {
  const uint64_t end = stream_ + SessionsIn(simulation_);
  for (; stream_ < end; ++stream_) {
    offset_sent_ = offset_received_ = 0;
    over_ = false;
    absl::Status status = co_await RunSession();
    if (!status.ok()) co_return status;
  }
  co_return absl::OkStatus();
}

Task<absl::Status> EchoClient::RunSession() {
  const int32_t fd = co_await Socket(AF_INET, SOCK_STREAM);
  if (fd < 0) co_return Judge("socket", fd);
  absl::Status status = co_await Converse(fd);
  const int32_t closed = co_await Close(fd);
  co_return status.ok() ? Judge("close", closed) : status;
}

// Message for message, or all messages before it looks at the first reply.
Task<absl::Status> EchoClient::Converse(int fd) {
  absl::Status status = Judge("connect", co_await Connect(fd, &server_));
  const bool in_one_go = simulation_.rng().Chance(0.3);
  uint64_t n_messages = simulation_.rng().Between(1, kMaxMessages);
  for (; n_messages > 0 && status.ok() && !over_; --n_messages) {
    const uint64_t end =
        offset_sent_ + simulation_.rng().Between(1, kMaxMessageBytes);
    status = co_await SendUntil(fd, end);
    if (in_one_go || !status.ok() || over_) continue;
    status = co_await ReceiveUntil(fd, end);
  }
  if (!status.ok() || over_) co_return status;
  co_return co_await Finish(fd);
}

// Stops sending, and receives what is still to come: then the end.
Task<absl::Status> EchoClient::Finish(int fd) {
  const int32_t shut = co_await Shutdown(fd, SHUT_WR);
  // A reset that has come meanwhile makes the connection none: recv tells.
  if (shut != -ENOTCONN || !simulation_.may_fail()) {
    absl::Status status = Judge("shutdown", shut);
    if (!status.ok()) co_return status;
  }
  absl::Status status = co_await ReceiveUntil(fd, offset_sent_);
  if (!status.ok() || over_) co_return status;
  const int32_t n = co_await Recv(fd, buffer_);
  if (n > 0) co_return absl::InternalError("bytes after the last reply");
  co_return Judge("recv", n);
}

Task<absl::Status> EchoClient::SendUntil(int fd, uint64_t end) {
  while (offset_sent_ < end) {
    const std::span<std::byte> piece = std::span(buffer_).first(
        std::min<uint64_t>(buffer_.size(), end - offset_sent_));
    FillPayload(stream_, offset_sent_, piece);
    const int32_t n = co_await Send(fd, piece);
    if (n < 0) co_return Judge("send", n);
    offset_sent_ += static_cast<uint64_t>(n);
  }
  co_return absl::OkStatus();
}

Task<absl::Status> EchoClient::ReceiveUntil(int fd, uint64_t end) {
  while (offset_received_ < end) {
    const int32_t n = co_await Recv(fd, buffer_);
    if (n <= 0) co_return Judge("recv", n == 0 ? -ECONNRESET : n);
    const size_t n_bytes = static_cast<size_t>(n);
    if (!IsPayload(stream_, offset_received_,
                   std::span(buffer_).first(n_bytes))) {
      co_return absl::DataLossError(
          absl::StrCat("stream ", stream_, " differs within ", n,
                       " bytes after ", offset_received_));
    }
    offset_received_ += n_bytes;
  }
  co_return absl::OkStatus();
}

absl::Status EchoClient::Judge(const char* what, int32_t result) {
  if (result >= 0) return absl::OkStatus();
  if (IsMistake(result) || !simulation_.may_fail()) {
    return absl::InternalError(
        absl::StrCat("stream ", stream_, ": ", what, " gave ", result));
  }
  over_ = true;
  return absl::OkStatus();
}

}  // namespace ringway::simulation
