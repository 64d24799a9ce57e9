// SPDX-License-Identifier: Apache-2.0
//
// A runtime whose n-th allocation fails, for every n: while it starts,
// accepts, serves and drains.

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/make_backend.h"
#include "ringway/backends/testing/failing_allocation.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/net/udp_socket.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

using net::SocketAddress;
using testing::FailingAllocation;
using testing::FailingAllocationInNewThreads;

class RuntimeMemory : public RuntimeTest,
                      public ::testing::WithParamInterface<BackendKind> {
 protected:
  void SetUp() override {
    unsetenv("RINGWAY_BACKEND");  // each asks for its own
    options_.loop.backend.kind = GetParam();
    absl::StatusOr<std::unique_ptr<Backend>> made =
        MakeBackend(options_.loop.backend);
    if (!made.ok()) GTEST_SKIP() << made.status();
  }

  // Its handler's frame is a small one, from the worker's pool: so it is the
  // frames, streams and tasks of the runtime that are short of memory.
  std::unique_ptr<Runtime> LaunchEcho() {
    Runtime::Builder builder = OneWorker();
    builder.Options(options_)
        .DrainDeadline(absl::Seconds(60))
        .Listen("127.0.0.1:0", EchoBytes);
    return Launch(builder);
  }

  static Task<absl::Status> EchoBytes(net::TcpStream stream) {
    std::array<std::byte, 1> byte;
    while (true) {
      absl::StatusOr<size_t> n = co_await stream.Read(byte);
      if (!n.ok() || *n == 0) co_return n.status();
      absl::Status sent = co_await stream.Write(byte);
      if (!sent.ok()) co_return sent;
    }
  }

  // Until it is cancelled.
  static Task<absl::Status> TakeDatagrams(net::UdpSocket& socket) {
    std::array<std::byte, 1> byte;
    absl::StatusOr<net::Datagram> got;
    do {
      got = co_await socket.ReceiveFrom(byte);
    } while (got.ok());
    co_return got.status();
  }

  // Runs `fn` on the worker, and waits for it.
  static void RunOnWorker(Runtime& runtime, std::function<void()> fn) {
    std::promise<void> done;
    ASSERT_TRUE(runtime.workers()[0]
                    .Post([&] {
                      fn();
                      done.set_value();
                    })
                    .ok());
    done.get_future().wait();
  }

  ExecutorOptions options_;
};

// False if the connection is closed or does not respond for a long time.
bool IsServed(const UniqueFd& client) {
  const timeval patience = {.tv_sec = 5, .tv_usec = 0};
  setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience,
             sizeof(patience));
  char c = 'x';
  if (send(client.get(), &c, 1, MSG_NOSIGNAL) != 1) return false;
  ssize_t n;
  // The kernel's own work may also interrupt a receive with a timeout.
  do {
    n = recv(client.get(), &c, 1, 0);
  } while (n < 0 && errno == EINTR);
  return n == 1;
}

// One bad_alloc used to end the accepting task silently: open connections
// were served, later ones never. At shutdown the drain joined that task, and
// its exception ended the process. Other tests of failing allocations create
// backends, loops and tasks but do not serve.
TEST_P(RuntimeMemory, OneFailedAllocationCostsItsConnectionAndNothingElse) {
  uint64_t n = 0;
  for (bool happened = true; happened && !HasFailure(); ++n) {
    SCOPED_TRACE(n);
    std::unique_ptr<Runtime> runtime = LaunchEcho();
    const SocketAddress address = runtime->addresses()[0];
    UniqueFd earlier = ConnectTo(address);
    EXPECT_TRUE(IsServed(earlier));
    std::optional<FailingAllocation> failure;
    RunOnWorker(*runtime, [&] { failure.emplace(n + 1); });
    constexpr uint64_t kConnections = 100;
    uint64_t served = 0;
    std::vector<UniqueFd> clients;
    for (uint64_t i = 0; i < kConnections && served + 1 >= i; ++i) {
      clients.push_back(ConnectTo(address));
      served += IsServed(clients.back()) ? 1 : 0;
    }
    RunOnWorker(*runtime, [&] {
      happened = failure->happened();
      failure.reset();
    });
    UniqueFd later = ConnectTo(address);
    EXPECT_TRUE(IsServed(later)) << "it no longer accepts";
    EXPECT_TRUE(IsServed(earlier)) << "it no longer serves";
    EXPECT_GE(served, kConnections - 1) << "more than one connection was lost";
    EXPECT_TRUE(happened || served == kConnections);

    clients.clear();
    earlier.Reset();
    later.Reset();
    runtime->Shutdown();
    const RuntimeReport report = runtime->Wait();
    EXPECT_EQ(report.refused + report.ended_throw, kConnections - served);
    EXPECT_EQ(report.exceptions, 0u);
    EXPECT_TRUE(report.drained());
    runtime.reset();
    ExpectNothingIsLeft();
  }
  EXPECT_GT(n, 3u) << "nothing was made to fail";
}

// Holds a failure on the worker from its first byte until it is cut.
struct FailsUntilTheEnd {
  uint64_t n;
  std::promise<void> begun;
  std::atomic<bool> happened{false};

  Task<absl::Status> Serve(net::TcpStream stream) {
    std::array<std::byte, 1> byte;
    absl::StatusOr<size_t> got = co_await stream.Read(byte);
    if (!got.ok() || *got == 0) co_return got.status();
    FailingAllocation failure(n);
    begun.set_value();
    got = co_await stream.Read(byte);
    happened = failure.happened();
    co_return got.status();
  }
};

// Shutdown allocated what it needed - a task for the drain, one for its
// deadline, a message for each Shutdown() - only at that time.
TEST_P(RuntimeMemory, TheEndNeedsNoMemoryOfTheWorker) {
  for (const bool cut : {false, true}) {
    FailsUntilTheEnd connection{.n = 1};
    Runtime::Builder builder = OneWorker();
    builder.Options(options_)
        .DrainDeadline(cut ? absl::InfiniteDuration() : absl::Milliseconds(10))
        .BindUdp("127.0.0.1:0", TakeDatagrams)
        .Listen("127.0.0.1:0", [&](net::TcpStream stream) {
          return connection.Serve(std::move(stream));
        });
    std::unique_ptr<Runtime> runtime = Launch(builder);
    const UniqueFd client = ConnectTo(runtime->addresses()[0]);
    testing::SendAll(client.get(), "x");
    connection.begun.get_future().wait();
    {
      FailingAllocation failure(1);
      cut ? runtime->Cut() : runtime->Shutdown();
      EXPECT_EQ(runtime->Wait().cut, 1u);
      EXPECT_FALSE(failure.happened()) << "the end takes memory of its caller";
    }
    EXPECT_FALSE(connection.happened) << "the end takes memory";
  }
}

TEST_P(RuntimeMemory, LaunchingWithoutItLeavesNothing) {
  const uint64_t n = testing::FailEachAllocation([&] {
    Runtime::Builder builder = OneWorker();
    builder.Options(options_)
        .Workers(2)
        .Listen("127.0.0.1:0", Echo)
        .BindUdp("127.0.0.1:0", TakeDatagrams);
    absl::StatusOr<std::unique_ptr<Runtime>> runtime = builder.Launch();
    if (!runtime.ok()) {  // the allocation was that of a thread
      EXPECT_TRUE(absl::IsResourceExhausted(runtime.status()))
          << runtime.status();
      return;
    }
    (*runtime)->Shutdown();
    EXPECT_TRUE((*runtime)->Wait().drained());
  });
  EXPECT_GT(n, 10u);
}

// A worker that found no memory while it started used to end the process.
TEST_P(RuntimeMemory, WorkersThatFindNoneFailTheLaunchByName) {
  uint64_t n = 0;
  for (bool happened = true; happened && !HasFailure(); ++n) {
    SCOPED_TRACE(n);
    Runtime::Builder builder = OneWorker();
    builder.Options(options_)
        .Workers(2)
        .OnStart([]() -> Task<absl::Status> { co_return absl::OkStatus(); })
        .BindUdp("127.0.0.1:0", TakeDatagrams)
        .Listen("127.0.0.1:0", Echo);
    absl::StatusOr<std::unique_ptr<Runtime>> runtime;
    {
      FailingAllocationInNewThreads failure(n + 1);
      runtime = builder.Launch();
      happened = failure.happened();
    }
    if (!runtime.ok()) {
      EXPECT_TRUE(happened) << runtime.status();
      EXPECT_TRUE(absl::IsResourceExhausted(runtime.status()))
          << runtime.status();
      EXPECT_TRUE(
          absl::StrContains(runtime.status().message(), "there is no memory"))
          << runtime.status();
    }
    runtime = absl::UnknownError("gone");
    ExpectNothingIsLeft();
  }
  EXPECT_GT(n, 10u);
}

INSTANTIATE_TEST_SUITE_P(Kinds, RuntimeMemory,
                         ::testing::Values(BackendKind::kUring,
                                           BackendKind::kEpoll),
                         [](const auto& info) {
                           return std::string(BackendKindName(info.param));
                         });

}  // namespace
}  // namespace ringway
