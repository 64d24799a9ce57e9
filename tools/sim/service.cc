// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/service.h"

#include <sys/socket.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "ringway/backends/sim/network/address.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/tools/sim/luck.h"
#include "ringway/tools/sim/operations.h"

namespace ringway::simulation {
namespace {

constexpr uint16_t kPort = 7;
constexpr int kBacklog = 4;
constexpr absl::Duration kPause = absl::Milliseconds(5);

sockaddr_in AddressOf(const Node& node) {
  sockaddr_in address = {};
  sim::Ipv4(node.host(), kPort).Store(&address, sizeof(address));
  return address;
}

}  // namespace

Service::Service(Simulation& simulation, Node& node)
    : simulation_(simulation), node_(node), address_(AddressOf(node)) {}

// Tries again until it has one, or is cancelled.
Task<int32_t> Service::OpenListener() {
  while (true) {
    const int32_t fd = co_await Socket(AF_INET, SOCK_STREAM);
    if (fd == -ECANCELED) co_return fd;
    if (fd >= 0) {
      int32_t result = co_await Bind(fd, &address_);
      if (result == 0) result = co_await Listen(fd, kBacklog);
      if (result == 0) co_return fd;
      Shield shield;
      co_await Close(fd);
    }
    static_cast<void>(co_await Sleep(kPause));
  }
}

Task<absl::Status> Service::Serve() {
  const int32_t listener = co_await OpenListener();
  if (listener < 0) co_return absl::OkStatus();
  listening_ = true;
  absl::Status status = co_await AcceptAll(listener);
  Shield shield;
  co_await Close(listener);
  for (JoinHandle<void>& connection : connections_) {
    connection.Cancel();
    static_cast<void>(co_await connection);
  }
  connections_.clear();
  co_return status;
}

// Until cancelled: OK, unless a call was a mistake.
Task<absl::Status> Service::AcceptAll(int listener) {
  while (true) {
    const int32_t fd = co_await Accept(listener);
    if (simulation_.bug() == Bug::kLeakOnCancel && fd >= 0 &&
        Executor::Current()->current_task()->cancelled()) {
      co_return absl::OkStatus();
    }
    if (fd == -ECANCELED) co_return absl::OkStatus();
    if (fd >= 0) {
      ++accepted_;
      connections_.push_back(Spawn(ServeConnection(fd)));
    } else if (IsMistake(fd)) {
      co_return absl::InternalError(absl::StrCat("accept: ", fd));
    } else {
      static_cast<void>(co_await Sleep(kPause));
    }
  }
}

}  // namespace ringway::simulation
