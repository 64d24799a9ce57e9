// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/served/proxy_server.h"

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/structured/when.h"
#include "ringway/net/received_buffer.h"
#include "ringway/tools/sim/stream_use.h"

namespace ringway::simulation {

Task<void> ProxyServer::ServeConnection(net::TcpStream client) {
  // A parameter would live until the task is joined.
  Link link{std::move(client)};
  absl::StatusOr<net::TcpStream> upstream =
      co_await ConnectSomehow(trial(), upstream_);
  if (!upstream.ok()) {
    if (!CurrentTaskIsCancelled())
      trial().Report("connecting upstream", upstream.status());
    co_return;
  }
  link.upstream = *std::move(upstream);
  Task<void> there = ForwardLent(link, link.client, link.upstream);
  Task<void> back = ForwardSomehow(link, link.upstream, link.client);
  [[maybe_unused]] auto ended =
      co_await WhenAll(std::move(there), std::move(back));
  trial().Report("closing upstream", co_await link.upstream.Close());
}

void ProxyServer::Break(Link& link, std::string_view what,
                        const absl::Status& status) {
  if (std::exchange(link.broken, true)) return;
  if (!CurrentTaskIsCancelled()) trial().Report(what, status);
  link.client.Reset();
  link.upstream.Reset();
}

Task<void> ProxyServer::ForwardEnd(Link& link, net::TcpStream& to) {
  if (trial().has(Bug::kEndsBothHalves)) {
    link.broken = true;
    link.client = net::TcpStream();
    link.upstream = net::TcpStream();
    co_return;
  }
  const absl::Status shut = co_await to.writer().ShutdownWrite();
  // It was reset meanwhile; the other direction reports it.
  if (ErrnoOf(shut) == ENOTCONN) co_return;
  if (!shut.ok()) Break(link, "passing an end on", shut);
}

Task<void> ProxyServer::ForwardLent(Link& link, net::TcpStream& from,
                                    net::TcpStream& to) {
  while (!link.broken) {
    absl::StatusOr<net::ReceivedBuffer> lent = co_await from.Receive();
    if (!lent.ok()) co_return Break(link, "receiving", lent.status());
    if (lent->empty()) co_return co_await ForwardEnd(link, to);
    const absl::Status sent = co_await to.Write(lent->bytes());
    if (!sent.ok()) co_return Break(link, "passing on", sent);
  }
}

Task<void> ProxyServer::ForwardSomehow(Link& link, net::TcpStream& from,
                                       net::TcpStream& to) {
  while (!link.broken) {
    std::string bytes;
    Task<absl::StatusOr<size_t>> receive =
        ReceiveSomehow(trial(), from.reader(), bytes);
    const absl::StatusOr<size_t> n = co_await std::move(receive);
    if (!n.ok()) co_return Break(link, "receiving", n.status());
    if (*n == 0) co_return co_await ForwardEnd(link, to);
    Task<absl::Status> send =
        SendSomehow(trial(), to.writer(), std::as_bytes(std::span(bytes)));
    const absl::Status sent = co_await std::move(send);
    if (!sent.ok()) co_return Break(link, "sending", sent);
  }
}

}  // namespace ringway::simulation
