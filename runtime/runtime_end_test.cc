// SPDX-License-Identifier: Apache-2.0
//
// The end of a runtime: draining open connections, cutting those that take
// too long.

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

using net::SocketAddress;
using net::testing::Bytes;
using net::testing::ReceiveAll;
using net::testing::ValueOf;

// Waits for a byte, signals the test, waits for another, replies.
struct SlowRequest {
  std::promise<void> begun;

  Task<absl::Status> Serve(net::TcpStream stream) {
    std::array<std::byte, 1> byte;
    absl::StatusOr<size_t> n = co_await stream.Read(byte);
    if (!n.ok() || *n == 0) co_return n.status();
    begun.set_value();
    n = co_await stream.Read(byte);
    if (!n.ok() || *n == 0) co_return n.status();
    co_return co_await stream.Write(Bytes("answer"));
  }
};

// The event for "no connection is left" used to stay set from any moment
// without connections before the shutdown, and the drain ended at once. A
// server that was always busy drained correctly.
TEST_F(RuntimeTest, ARequestInFlightFinishesAlsoIfTheServerWasIdleBefore) {
  SlowRequest request;
  auto serve = [&](net::TcpStream stream) -> Task<absl::Status> {
    return request.Serve(std::move(stream));
  };
  Runtime::Builder builder = OneWorker();
  builder.DrainDeadline(absl::Seconds(60)).Listen("127.0.0.1:0", serve);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  const SocketAddress address = runtime->addresses()[0];
  {
    UniqueFd earlier = ConnectTo(address);
    ASSERT_EQ(shutdown(earlier.get(), SHUT_WR), 0);
    EXPECT_EQ(ReceiveAll(earlier.get()), "");
  }
  UniqueFd client = ConnectTo(address);
  testing::SendAll(client.get(), "1");
  request.begun.get_future().wait();
  runtime->Shutdown();
  // Once the port is refused the drain has begun.
  while (true) {
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(fd.get(), address.data(), address.size()) != 0) break;
  }
  testing::SendAll(client.get(), "2");
  EXPECT_EQ(ReceiveAll(client.get()), "answer");
  const RuntimeReport report = runtime->Wait();
  EXPECT_EQ(report.accepted, report.ended_ok);
  EXPECT_TRUE(report.drained());
}

TEST_F(RuntimeTest, AnIdleConnectionIsCutAtTheDeadlineAndReported) {
  Runtime::Builder builder = OneWorker();
  builder.DrainDeadline(absl::Milliseconds(30)).Listen("127.0.0.1:0", Echo);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UniqueFd idle = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(Ask(idle.get(), "a"), "a");
  runtime->Shutdown();
  const RuntimeReport report = runtime->Wait();
  EXPECT_EQ(report.cut, 1u);
  EXPECT_FALSE(report.drained());
  EXPECT_EQ(ReceiveAll(idle.get()), "");
}

TEST_F(RuntimeTest, CutEndsTheDrainAtOnce) {
  for (const bool shutdown_first : {true, false}) {
    Runtime::Builder builder = OneWorker();
    builder.Workers(2)
        .DrainDeadline(absl::InfiniteDuration())
        .Listen("127.0.0.1:0", Echo);
    std::unique_ptr<Runtime> runtime = Launch(builder);
    std::vector<UniqueFd> clients;
    for (int i = 0; i < 8; ++i) {
      clients.push_back(ConnectTo(runtime->addresses()[0]));
      EXPECT_EQ(Ask(clients.back().get(), "a"), "a");
    }
    if (shutdown_first) runtime->Shutdown();
    runtime->Cut();
    EXPECT_EQ(runtime->Wait().cut, 8u);
    for (const UniqueFd& client : clients)
      EXPECT_EQ(ReceiveAll(client.get()), "");
  }
}

TEST_F(RuntimeTest, ADrainDeadlineOfZeroCutsAtOnce) {
  Runtime::Builder builder = OneWorker();
  builder.DrainDeadline(absl::ZeroDuration()).Listen("127.0.0.1:0", Echo);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UniqueFd client = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(Ask(client.get(), "a"), "a");
  runtime->Shutdown();
  EXPECT_EQ(runtime->Wait().cut, 1u);
}

// A connection that is cut before its task has run never runs. It used to
// stay counted, and the worker waited for its whole grace period. The grace
// period here is longer than the test's time limit.
TEST_F(RuntimeTest, ConnectionsCutBeforeTheyBeginHoldUpNobody) {
  ExecutorOptions options;
  options.shutdown_grace = absl::Hours(1);
  for (int round = 0; round < 30; ++round) {
    Runtime::Builder builder = OneWorker();
    builder.Options(options).Listen("127.0.0.1:0", Echo);
    std::unique_ptr<Runtime> runtime = Launch(builder);
    std::vector<UniqueFd> clients;
    for (int i = 0; i < 5 + round; ++i)
      clients.push_back(ConnectTo(runtime->addresses()[0]));
    runtime->Cut();
    runtime->Wait();
  }
}

TEST_F(RuntimeTest, ShutdownAndWaitMayComeFromManyThreadsAndOften) {
  Runtime::Builder builder = OneWorker();
  builder.Workers(2).Listen("127.0.0.1:0", Echo);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  {
    UniqueFd client = ConnectTo(runtime->addresses()[0]);
    EXPECT_EQ(Ask(client.get(), "a"), "a");
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n) runtime->Shutdown();
      EXPECT_EQ(runtime->Wait().accepted, 1u);
      runtime->Shutdown();
      runtime->Cut();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(runtime->Wait().accepted, 1u);
}

TEST_F(RuntimeTest, DestroyingItWithoutAShutdownDrains) {
  Runtime::Builder builder = OneWorker();
  builder.DrainDeadline(absl::Milliseconds(20)).Listen("127.0.0.1:0", Echo);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UniqueFd client = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(Ask(client.get(), "a"), "a");
  runtime.reset();
  EXPECT_EQ(ReceiveAll(client.get()), "");
}

TEST_F(RuntimeTest, AStartTaskThatRunsForEverEndsWithTheRuntime) {
  std::promise<void> begun;
  auto start = [&]() -> Task<absl::Status> {
    begun.set_value();
    while (true) {
      absl::Status slept = co_await Sleep(absl::Hours(1));
      if (!slept.ok()) co_return slept;
    }
  };
  Runtime::Builder builder = OneWorker();
  builder.OnStart(start);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  begun.get_future().wait();
  runtime->Shutdown();
  const RuntimeReport report = runtime->Wait();
  EXPECT_TRUE(report.drained());
  EXPECT_EQ(report.start_failed, 0u) << "ending with the runtime is no failure";
}

// A handler may cancel every task of its executor; the worker's own are among
// them.
TEST_F(RuntimeTest, AHandlerThatCancelsEverythingDoesNotStopTheServer) {
  auto serve = [](net::TcpStream stream) -> Task<absl::Status> {
    Executor::Current()->CancelAll();
    co_return co_await stream.Write(Bytes("cancelled"));
  };
  Runtime::Builder builder = OneWorker();
  builder.Listen("127.0.0.1:0", serve);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ReceiveAll(ConnectTo(runtime->addresses()[0]).get()),
              "cancelled");
  }
}

// An accept loop that is handed a connection in the turn of the shutdown comes
// back for another one to a listener that is closed.
TEST_F(RuntimeTest, ConnectionsThatArriveWithTheShutdownDoNoHarm) {
  for (int round = 0; round < 30; ++round) {
    Runtime::Builder builder = OneWorker();
    builder.Workers(2)
        .DrainDeadline(absl::Seconds(60))
        .Listen("127.0.0.1:0", Echo);
    std::unique_ptr<Runtime> runtime = Launch(builder);
    const SocketAddress address = runtime->addresses()[0];
    std::atomic<bool> stop{false};
    std::thread clients([&] {
      while (!stop) {
        UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (connect(fd.get(), address.data(), address.size()) != 0) return;
      }
    });
    { UniqueFd one = ConnectTo(address); }
    runtime->Shutdown();
    const RuntimeReport report = runtime->Wait();
    stop = true;
    clients.join();
    EXPECT_TRUE(report.drained());
    EXPECT_EQ(report.accepted, report.ended_ok + report.ended_error);
  }
}

TEST_F(RuntimeTest, StartsOnTheSamePortAgainAndAgain) {
  SocketAddress address = ValueOf(SocketAddress::Parse("127.0.0.1:0"));
  for (int round = 0; round < 50; ++round) {
    Runtime::Builder builder = OneWorker();
    builder.Workers(1 + round % 2)
        .DrainDeadline(absl::ZeroDuration())
        .Listen(address.ToString(), Echo);
    std::unique_ptr<Runtime> runtime = Launch(builder);
    address = runtime->addresses()[0];
    UniqueFd client = ConnectTo(address);
    EXPECT_EQ(Ask(client.get(), "hello"), "hello");
    runtime->Shutdown();
    EXPECT_EQ(runtime->Wait().cut, 1u);
  }
}

// --- On a worker
//
// A worker that waited for its own end waited forever, or std::thread::join()
// threw "Resource deadlock avoided", which was not caught. All other tests
// wait on the launching thread.

constexpr char kOnWorker[] = "a Runtime, on one of its own workers";

std::unique_ptr<Runtime>& Global() {
  static std::unique_ptr<Runtime> runtime;
  return runtime;
}

// Runs `fn` on a worker of Global(), and returns if that does.
void OnWorkerOfGlobal(std::function<void()> fn) {
  Runtime::Builder builder = OneWorker();
  Global() = ValueOf(builder.Launch());
  std::promise<void> done;
  Global()
      ->workers()[0]
      .Post([&] {
        fn();
        done.set_value();
      })
      .IgnoreError();
  done.get_future().wait();
}

class RuntimeDeathTest : public ::testing::Test {
 protected:
  RuntimeDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(RuntimeDeathTest, WaitOnItsOwnWorkerSaysSo) {
  EXPECT_DEATH(OnWorkerOfGlobal([] {
                 Global()->Shutdown();
                 Global()->Wait();
               }),
               kOnWorker);
}

TEST_F(RuntimeDeathTest, DestructionOnItsOwnWorkerSaysSo) {
  EXPECT_DEATH(OnWorkerOfGlobal([] { Global().reset(); }), kOnWorker);
}

TEST_F(RuntimeDeathTest, ExitOnAWorkerOfAGlobalOneSaysSo) {
  EXPECT_DEATH(OnWorkerOfGlobal([] { exit(0); }), kOnWorker);
}

TEST_F(RuntimeTest, AWorkerMayWaitForAnotherRuntime) {
  Runtime::Builder builder = OneWorker();
  std::unique_ptr<Runtime> outer = Launch(builder);
  std::promise<void> done;
  EXPECT_TRUE(outer->workers()[0]
                  .Post([&] {
                    Runtime::Builder inner = OneWorker();
                    Launch(inner).reset();
                    done.set_value();
                  })
                  .ok());
  done.get_future().wait();
}

}  // namespace
}  // namespace ringway
