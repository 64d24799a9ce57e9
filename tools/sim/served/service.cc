// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/served/service.h"

#include <utility>

#include "absl/time/time.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/listening/listen_socket.h"
#include "ringway/tools/sim/stream_use.h"

namespace ringway::simulation {
namespace {

constexpr int kBacklog = 4;
constexpr absl::Duration kPause = absl::Milliseconds(5);

}  // namespace

Service::Service(Trial& trial, SimulatedHost& host, Port& port)
    : trial_(trial), host_(host), port_(port) {}

absl::StatusOr<net::TcpListener> Service::Listen() {
  net::ListenOptions options;
  options.backlog = kBacklog;
  if (port_.n_workers == 1)
    return net::TcpListener::Listen(loop(), port_.address, options);
  if (!port_.socket.valid()) {
    absl::StatusOr<SocketFd> made =
        net::MakeListenSocket(sockets(), port_.address, options);
    if (!made.ok()) return made.status();
    port_.socket = *std::move(made);
  }
  SocketFd own(sockets(), sockets().Duplicate(port_.socket.get()));
  if (!own.valid()) return ErrnoToStatus(-own.get(), "sharing a listener");
  return net::TcpListener::Adopt(loop(), std::move(own));
}

// Retries until it listens, an error is a mistake, or it is cancelled.
Task<absl::StatusOr<net::TcpListener>> Service::ListenAtLast() {
  while (true) {
    absl::StatusOr<net::TcpListener> listener = Listen();
    if (listener.ok()) co_return listener;
    absl::Status judged = trial_.Judge("listen", listener.status());
    if (!judged.ok()) co_return judged;
    const absl::Status slept = co_await Sleep(kPause);
    if (!slept.ok()) co_return slept;
  }
}

Task<absl::Status> Service::Serve() {
  absl::StatusOr<net::TcpListener> listener = co_await ListenAtLast();
  absl::Status status = listener.status();
  if (listener.ok()) {
    listening_ = true;
    status = co_await AcceptAll(*listener);
    listener->Close();
  }
  port_.socket.Close();
  Shield shield;
  for (JoinHandle<void>& connection : connections_) {
    connection.Cancel();
    static_cast<void>(co_await connection);
  }
  connections_.clear();
  co_return absl::IsCancelled(status) ? absl::OkStatus() : status;
}

// Until it is cancelled or an error is a mistake.
Task<absl::Status> Service::AcceptAll(net::TcpListener& listener) {
  while (true) {
    absl::StatusOr<net::TcpStream> stream = co_await listener.Accept();
    if (stream.ok()) {
      ++accepted_;
      connections_.push_back(Spawn(ServeConnection(*std::move(stream))));
      continue;
    }
    if (CurrentTaskIsCancelled()) co_return stream.status();
    absl::Status judged = trial_.Judge("accept", stream.status());
    if (!judged.ok()) co_return judged;
    static_cast<void>(co_await Sleep(kPause));
  }
}

}  // namespace ringway::simulation
