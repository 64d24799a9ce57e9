// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/proxy_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "ringway/executor/structured/when.h"
#include "ringway/executor/task/shield.h"
#include "ringway/tools/sim/operations.h"
#include "ringway/tools/sim/receiver.h"

namespace ringway::simulation {
namespace {

// 0 or -errno.
Task<int32_t> SendAll(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const int32_t n = co_await Send(fd, bytes);
    if (n < 0) co_return n;
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  co_return 0;
}

}  // namespace

Task<void> ProxyServer::ServeConnection(int client) {
  const int32_t upstream = co_await ConnectUpstream();
  if (upstream >= 0) {
    Task<void> there = ForwardLent(client, upstream);
    Task<void> back = ForwardCopied(upstream, client);
    [[maybe_unused]] auto ended =
        co_await WhenAll(std::move(there), std::move(back));
    Shield shield;
    co_await Close(upstream);
  }
  Shield shield;
  co_await Close(client);
}

// An fd or -errno.
Task<int32_t> ProxyServer::ConnectUpstream() {
  const int32_t fd = co_await Socket(AF_INET, SOCK_STREAM);
  if (fd < 0) co_return fd;
  const int32_t connected = co_await Connect(fd, &upstream_);
  if (connected == 0) co_return fd;
  Shield shield;
  co_await Close(fd);
  co_return connected;
}

Task<void> ProxyServer::ForwardEnd(int from, int to, int32_t result) {
  const bool end_both =
      result != 0 || simulation().bug() == Bug::kEndsBothHalves;
  co_await Shutdown(to, end_both ? SHUT_RDWR : SHUT_WR);
  if (end_both) co_await Shutdown(from, SHUT_RDWR);
}

Task<void> ProxyServer::ForwardLent(int from, int to) {
  Receiver receiver(loop(), from);
  int32_t sent = 0;
  while (sent == 0) {
    std::optional<Delivery> event = co_await receiver.Next();
    if (!event.has_value()) break;
    sent = co_await SendAll(
        to, std::span(event->data, static_cast<size_t>(event->result)));
    loop().backend().ReturnBuffer(event->buffer_id);
  }
  const int32_t received = co_await receiver.Stop();
  co_await ForwardEnd(from, to, std::min(sent, received));
}

Task<void> ProxyServer::ForwardCopied(int from, int to) {
  std::array<std::byte, 1500> buffer;
  int32_t result = 0;
  while (result == 0) {
    const int32_t n = co_await Recv(from, buffer);
    if (n <= 0) {
      result = n;
      break;
    }
    result =
        co_await SendAll(to, std::span(buffer).first(static_cast<size_t>(n)));
  }
  co_await ForwardEnd(from, to, result);
}

}  // namespace ringway::simulation
