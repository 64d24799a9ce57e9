// SPDX-License-Identifier: Apache-2.0

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <future>
#include <span>
#include <stdexcept>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/remote/wake_handle.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/runtime/metrics/testing/scenarios.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway::moving {
namespace {

// Echoes, until the client asks for another end.
Task<absl::Status> EndAsTold(net::TcpStream stream) {
  std::array<std::byte, 1> told;
  while (true) {
    const absl::StatusOr<size_t> n = co_await stream.Read(told);
    if (!n.ok() || *n == 0) co_return n.status();
    if (told[0] == std::byte{'t'}) throw std::runtime_error("as told");
    if (told[0] == std::byte{'f'}) co_return absl::DataLossError("as told");
    const absl::Status written = co_await stream.Write(told);
    if (!written.ok()) co_return written;
  }
}

Task<absl::Status> IgnoreCancels(net::TcpStream stream) {
  Shield shield;
  (co_await stream.Write(net::testing::Bytes("x"))).IgnoreError();
  co_return co_await Sleep(absl::InfiniteDuration());
}

}  // namespace

void ConnectionsEndInManyWays(WatchedMetrics& watched) {
  Runtime::Builder builder = Watched();
  builder.MaxConnections(1).Listen("127.0.0.1:0", EndAsTold);
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  const net::SocketAddress& address = runtime->addresses()[0];
  watched.Look(*runtime);
  {
    const UniqueFd throws = ConnectTo(address);
    testing::SendAll(throws.get(), "t");
    watched.LookUntilMoved(*runtime, "ringway_connections_thrown_total");
  }
  // The place is free a moment after the count.
  UniqueFd fails;
  do {
    fails = ConnectTo(address);
  } while (Ask(fails.get(), "e") != "e");
  watched.LookUntilMoved(*runtime, "ringway_connections");
  watched.LookUntilMoved(*runtime, "ringway_backend_operations_in_flight");
  const UniqueFd refused = ConnectTo(address);
  watched.LookUntilMoved(*runtime, "ringway_connections_refused_total");
  testing::SendAll(fails.get(), "f");
  watched.LookUntilMoved(*runtime, "ringway_connections_ended_total");
  End(*runtime);
}

void ConnectionsWaitForRoom(WatchedMetrics& watched) {
  Runtime::Builder builder = Watched();
  builder.MaxConnections(2, WhenFull::kWait).Listen("127.0.0.1:0", Echo);
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  const UniqueFd first = ConnectTo(runtime->addresses()[0]);
  const UniqueFd second = ConnectTo(runtime->addresses()[0]);
  const UniqueFd waits = ConnectTo(runtime->addresses()[0]);
  watched.LookUntilMoved(*runtime, "ringway_accept_pauses_total");
  End(*runtime);
}

void AListenerFails(WatchedMetrics& watched) {
  const UniqueFd socket = testing::Listen(/*backlog=*/8);
  Runtime::Builder builder = Watched();
  builder.ListenFd(UniqueFd(dup(socket.get())), Echo);
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  shutdown(socket.get(), SHUT_RDWR);
  watched.LookUntilMoved(*runtime, "ringway_listeners_failed_total");
  End(*runtime);
}

void AStartFails(WatchedMetrics& watched) {
  Runtime::Builder builder = Watched();
  builder.OnStart([]() -> Task<absl::Status> {
    co_return absl::UnavailableError("as told");
  });
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  watched.LookUntilMoved(*runtime, "ringway_start_failures_total");
  End(*runtime);
}

// OnStop() holds the end up until the page has been looked at.
void ClientsComeLateAndStay(WatchedMetrics& watched) {
  ExecutorOptions options;
  options.shutdown_grace = absl::Milliseconds(20);
  std::promise<WakeHandle> stops;
  Runtime::Builder builder = Watched(options);
  builder.LameDuck(absl::Hours(1))
      .Listen("127.0.0.1:0", IgnoreCancels)
      .OnStop([&stops]() -> Task<absl::Status> {
        Shield shield;
        Waker looked_at;
        stops.set_value(looked_at.handle());
        co_return co_await looked_at.Wait();
      });
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  runtime->Shutdown();
  const UniqueFd client = ConnectTo(runtime->addresses()[0]);
  char greeting = 0;
  recv(client.get(), &greeting, 1, MSG_WAITALL);
  watched.LookUntilMoved(*runtime, "ringway_connections_accepted_late_total");
  runtime->Cut();
  const WakeHandle looked_at = stops.get_future().get();
  watched.LookUntilMoved(*runtime, "ringway_connections_cut_total");
  watched.LookUntilMoved(*runtime, "ringway_connections_forced_total");
  looked_at.Wake();
  watched.LookUntilMoved(*runtime, "ringway_worker_up");
  runtime->Wait();
}

}  // namespace ringway::moving
