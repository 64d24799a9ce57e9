// SPDX-License-Identifier: Apache-2.0

#include <linux/io_uring.h>

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/memory/shared_bytes.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/tcp.h"
#include "ringway/runtime/metrics/testing/scenarios.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway::moving {
namespace {

constexpr size_t kBufferBytes = 4'096;

// Keeps what it has received until the client has closed.
Task<absl::Status> Hold(net::TcpStream stream) {
  const absl::StatusOr<net::ReceivedBuffer> held = co_await stream.Receive();
  if (!held.ok()) co_return held.status();
  co_return (co_await stream.Receive()).status();
}

// Keeps each delivery for a moment.
Task<absl::Status> HoldBriefly(net::TcpStream stream) {
  while (true) {
    const absl::StatusOr<net::ReceivedBuffer> held = co_await stream.Receive();
    if (!held.ok() || held->empty()) co_return held.status();
    const absl::Status slept = co_await Sleep(absl::Milliseconds(10));
    if (!slept.ok()) co_return slept;
  }
}

ExecutorOptions FewBuffers(uint32_t own_bytes) {
  ExecutorOptions options;
  BackendOptions& backend = options.loop.backend;
  backend.receive_buffer_bytes = kBufferBytes;
  backend.receive_buffer_count = 4;
  backend.share_receive_buffers = false;
  backend.receive_low_water = 2;
  backend.receive_copy_bytes = kBufferBytes;
  backend.receive_own_bytes = own_bytes;
  return options;
}

std::vector<UniqueFd> SendFrom(size_t n_clients, const Runtime& runtime) {
  std::vector<UniqueFd> clients;
  for (size_t i = 0; i < n_clients; ++i) {
    clients.push_back(ConnectTo(runtime.addresses()[0]));
    testing::SendAll(clients.back().get(), std::string(kBufferBytes / 2, 'x'));
  }
  return clients;
}

class FsyncOp : public OperationAwait {
 public:
  explicit FsyncOp(int file) { PrepareFsync(*this, file); }
  int32_t await_resume() const { return result; }
};

struct StreamAndFd {
  net::TcpStream stream;
  UniqueFd peer;
};

StreamAndFd MakeStream() {
  testing::FdPair pair = testing::MakeSocketPair();
  return {
      net::TcpStream::Adopt(CurrentExecutor().loop(), std::move(pair.first)),
      std::move(pair.second)};
}

}  // namespace

// Some deliveries take buffers, some are copied, and the rest have memory of
// their own.
void BuffersAreHeld(WatchedMetrics& watched) {
  Runtime::Builder builder = Watched(FewBuffers(kBufferBytes));
  builder.Listen("127.0.0.1:0", Hold);
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  watched.Look(*runtime);
  const std::vector<UniqueFd> clients = SendFrom(12, *runtime);
  for (const char* metric :
       {"ringway_loop_buffers_lent", "ringway_receive_buffers_bytes",
        "ringway_receive_lent_bytes", "ringway_receive_copies_bytes",
        "ringway_receive_own_bytes", "ringway_receive_peak_bytes",
        "ringway_backend_deliveries_total",
        "ringway_backend_deliveries_copied_total",
        "ringway_backend_deliveries_own_memory_total"}) {
    watched.LookUntilMoved(*runtime, metric);
  }
  End(*runtime);
}

// Without memory of their own, receives wait until buffers are returned.
void BuffersRunOut(WatchedMetrics& watched) {
  Runtime::Builder builder = Watched(FewBuffers(/*own_bytes=*/0));
  builder.Listen("127.0.0.1:0", HoldBriefly);
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  watched.Look(*runtime);
  const char* rearms = "ringway_backend_rearms_total";
  // They may come so slowly that there are always buffers.
  for (int i = 0; i < 1'000 && !watched.moved().contains(rearms); ++i) {
    const std::vector<UniqueFd> clients = SendFrom(12, *runtime);
    watched.Look(*runtime);
  }
  watched.LookUntilMoved(*runtime, rearms);
  watched.LookUntilMoved(*runtime,
                         "ringway_backend_rearms_without_buffer_total");
  End(*runtime);
}

void WaitsAreCancelled(WatchedMetrics& watched) {
  Runtime::Builder builder = Watched();
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  watched.Look(*runtime);
  BeginOn(*runtime, 0, []() -> Task<void> {
    StreamAndFd silent = MakeStream();
    std::array<std::byte, 8> buffer;
    const absl::StatusOr<size_t> n =
        co_await WithTimeout(absl::Milliseconds(1), silent.stream.Read(buffer));
    EXPECT_TRUE(absl::IsDeadlineExceeded(n.status())) << n.status();
  }).wait();
  for (const char* metric :
       {"ringway_backend_cancels_total",
        "ringway_backend_operations_started_total",
        "ringway_backend_operations_ended_total",
        "ringway_backend_system_calls_total", "ringway_backend_waits_total",
        "ringway_backend_notifications_total"}) {
    watched.LookUntilMoved(*runtime, metric);
  }
  End(*runtime);
}

// By helper threads on epoll, and on an io_uring that cannot.
void FilesAreSynchronised(WatchedMetrics& watched) {
  ExecutorOptions options;
  options.loop.backend.uring.masked_opcodes = uint64_t{1} << IORING_OP_FSYNC;
  Runtime::Builder builder = Watched(options);
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  watched.Look(*runtime);
  BeginOn(*runtime, 0, []() -> Task<void> {
    const UniqueFd file = testing::MakeFile("some");
    EXPECT_EQ(co_await FsyncOp(file.get()), 0);
  }).wait();
  watched.LookUntilMoved(*runtime, "ringway_backend_offloaded_total");
  End(*runtime);
}

void ZeroCopyIsRefused(WatchedMetrics& watched) {
  Runtime::Builder builder = Watched();
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  watched.Look(*runtime);
  BeginOn(*runtime, 0, []() -> Task<void> {
    StreamAndFd local = MakeStream();  // of a family that has none
    local.stream.set_zero_copy_threshold(0);
    SharedBytes bytes(std::string(100, 'x'));
    const absl::Status written =
        co_await local.stream.WriteZeroCopy(std::move(bytes));
    EXPECT_TRUE(written.ok()) << written;
  }).wait();
  watched.LookUntilMoved(*runtime, "ringway_backend_zero_copy_refused_total");
  End(*runtime);
}

}  // namespace ringway::moving
