// SPDX-License-Identifier: Apache-2.0
//
// What a program hooks into a runtime: OnStop(), OnTick(), OnConnectionEnd(),
// Local(), Current(); and what it says of itself.

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

using net::testing::ReceiveAll;

using HooksTest = RuntimeTest;

TEST_F(HooksTest, OnStopRunsOnEachWorkerWhenItsConnectionsHaveEnded) {
  std::mutex mutex;
  std::vector<std::string> order;
  const auto note = [&](std::string what) {
    std::lock_guard<std::mutex> lock(mutex);
    order.push_back(std::move(what));
  };
  Runtime::Builder builder = OneWorker();
  builder.Workers(2)
      .Listen("127.0.0.1:0", Echo)
      .OnConnectionEnd([&](const ConnectionEnd&) { note("connection"); })
      .OnStop([&]() -> Task<absl::Status> {
        // It may still wait for things.
        absl::Status slept = co_await Sleep(absl::Milliseconds(1));
        note("stop");
        co_return slept;
      })
      .OnStop([&]() -> Task<absl::Status> {
        note("second");
        co_return absl::OkStatus();
      });
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UniqueFd client = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(Ask(client.get(), "a"), "a");
  runtime->Shutdown();
  client = UniqueFd();
  EXPECT_EQ(runtime->Wait().stop_failed, 0u);
  EXPECT_EQ(order.size(), 5u);
  EXPECT_EQ(std::count(order.begin(), order.end(), "stop"), 2);
  EXPECT_EQ(std::count(order.begin(), order.end(), "second"), 2);
  EXPECT_EQ(order.back(), "second");
}

TEST_F(HooksTest, AnOnStopThatFailsThrowsOrHangsIsReportedAndEnds) {
  ExecutorOptions options;
  options.shutdown_grace = absl::Milliseconds(20);
  std::atomic<int> last{0};
  Runtime::Builder builder = OneWorker();
  builder.Options(options)
      .OnStop([]() -> Task<absl::Status> {
        co_return absl::DataLossError("not written");
      })
      .OnStop([]() -> Task<absl::Status> {
        throw std::runtime_error("no disk");
        co_return absl::OkStatus();
      })
      .OnStop([]() -> Task<absl::Status> {
        co_return co_await Sleep(absl::InfiniteDuration());
      })
      .OnStop([&]() -> Task<absl::Status> {
        ++last;
        co_return absl::OkStatus();
      });
  std::unique_ptr<Runtime> runtime = Launch(builder);
  ::testing::internal::CaptureStderr();
  runtime->Shutdown();
  const RuntimeReport report = runtime->Wait();
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(report.stop_failed, 3u);
  EXPECT_EQ(last, 1);
  EXPECT_TRUE(
      absl::StrContains(said, "ringway: worker 0: OnStop failed: not written"))
      << said;
  EXPECT_TRUE(absl::StrContains(said, "an exception: no disk")) << said;
  EXPECT_TRUE(absl::StrContains(said, "deadline of 20ms")) << said;
}

TEST_F(HooksTest, OnTickRunsOnEachWorkerAtItsPeriod) {
  std::atomic<int> ticks{0};
  Runtime::Builder builder = OneWorker();
  builder.Workers(2).OnTick(absl::Milliseconds(2), [&] { ++ticks; });
  std::unique_ptr<Runtime> runtime = Launch(builder);
  while (ticks < 20) std::this_thread::yield();
  runtime->Shutdown();
  runtime->Wait();
  const int at_the_end = ticks;
  std::this_thread::yield();
  EXPECT_EQ(ticks, at_the_end);

  Runtime::Builder wrong = OneWorker();
  wrong.OnTick(absl::ZeroDuration(), [] {});
  EXPECT_EQ(wrong.Launch().status(),
            absl::InvalidArgumentError("OnTick is 0, must be more than 0"));
}

// What each worker has for itself.
struct Hits {
  int n = 0;
};

TEST_F(HooksTest, EachWorkerHasItsOwnLocals) {
  std::mutex mutex;
  std::vector<int> hits;
  Runtime::Builder builder = OneWorker();
  builder.Workers(2)
      .Listen("127.0.0.1:0",
              [&](net::TcpStream) -> Task<absl::Status> {
                ++Local<Hits>().n;
                co_return absl::OkStatus();
              })
      .OnStop([&]() -> Task<absl::Status> {
        std::lock_guard<std::mutex> lock(mutex);
        hits.push_back(Local<Hits>().n);
        co_return absl::OkStatus();
      });
  std::unique_ptr<Runtime> runtime = Launch(builder);
  for (int i = 0; i < 10; ++i) {
    UniqueFd client = ConnectTo(runtime->addresses()[0]);
    EXPECT_EQ(ReceiveAll(client.get()), "");
  }
  runtime->Shutdown();
  runtime->Wait();
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0] + hits[1], 10);
}

TEST_F(HooksTest, AHandlerShutsItsRuntimeDown) {
  Runtime::Builder builder = OneWorker();
  builder.Workers(2).Listen(
      "127.0.0.1:0", [](net::TcpStream stream) -> Task<absl::Status> {
        Runtime::Current()->Shutdown();
        EXPECT_FALSE(Runtime::Current()->ready());
        co_return co_await stream.Write(net::testing::Bytes("bye"));
      });
  std::unique_ptr<Runtime> runtime = Launch(builder);
  EXPECT_TRUE(runtime->ready());
  EXPECT_EQ(Runtime::Current(), nullptr);
  UniqueFd client = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(ReceiveAll(client.get()), "bye");
  EXPECT_EQ(runtime->Wait().ended_ok, 1u);
  EXPECT_FALSE(runtime->ready());
}

TEST_F(HooksTest, ALameDuckAcceptsForItsTime) {
  Runtime::Builder builder = OneWorker();
  builder.LameDuck(absl::Seconds(60)).Listen("127.0.0.1:0", Echo);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  runtime->Shutdown();
  EXPECT_FALSE(runtime->ready());
  {
    UniqueFd client = ConnectTo(runtime->addresses()[0]);
    EXPECT_EQ(Ask(client.get(), "still"), "still");
  }
  runtime->Cut();
  const RuntimeReport report = runtime->Wait();
  EXPECT_EQ(report.accepted_late, 1u);
}

TEST_F(HooksTest, AccessLogsNameTheListenerAndThePeer) {
  std::mutex mutex;
  std::vector<std::string> lines;
  ListenerOptions named;
  named.name = "public";
  Runtime::Builder builder = OneWorker();
  builder.Workers(2)
      .Listen("127.0.0.1:0", Echo, named)
      .OnConnectionEnd([&](const ConnectionEnd& end) {
        std::lock_guard<std::mutex> lock(mutex);
        lines.push_back(absl::StrCat(end.listener, " ", end.bytes_received, " ",
                                     end.bytes_sent, " ",
                                     end.status.ToString()));
      });
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UniqueFd client = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(Ask(client.get(), "12345"), "12345");
  client = UniqueFd();
  runtime->Shutdown();
  runtime->Wait();
  EXPECT_EQ(lines, std::vector<std::string>{"public 5 5 OK"});
}

// Names of functions are looked up in files that stay open.
TEST(StallBudgetTest, AStallIsReportedWithItsTaskWhileItLasts) {
  std::promise<void> release;
  std::shared_future<void> released(release.get_future());
  Runtime::Builder builder = OneWorker();
  builder.StallBudget(absl::Milliseconds(5))
      .Listen("127.0.0.1:0", [&](net::TcpStream) -> Task<absl::Status> {
        released.wait();
        co_return absl::OkStatus();
      });
  ::testing::internal::CaptureStderr();
  std::unique_ptr<Runtime> runtime = net::testing::ValueOf(builder.Launch());
  UniqueFd client = ConnectTo(runtime->addresses()[0]);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  release.set_value();
  EXPECT_EQ(ReceiveAll(client.get()), "");
  runtime->Shutdown();
  runtime->Wait();
  runtime.reset();  // what is being printed is complete
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(absl::StrContains(said, "worker 0")) << said;
  EXPECT_TRUE(absl::StrContains(said, "connection")) << said;

  Runtime::Builder wrong = OneWorker();
  wrong.StallBudget(absl::Microseconds(1));
  EXPECT_TRUE(absl::IsInvalidArgument(wrong.Launch().status()));
}

TEST_F(HooksTest, ATraceIsWrittenAtTheEnd) {
  const std::string path =
      absl::StrCat(::testing::TempDir(), "/hooks_test_trace.json");
  Runtime::Builder builder;
  builder.Workers(2).Trace(path).Listen("127.0.0.1:0", Echo);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UniqueFd client = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(Ask(client.get(), "a"), "a");
  client = UniqueFd();
  runtime->Shutdown();
  runtime->Wait();
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)),
                         std::istreambuf_iterator<char>());
  EXPECT_TRUE(absl::StrContains(text, "traceEvents")) << text.substr(0, 200);
  EXPECT_TRUE(absl::StrContains(text, "worker 1"));
  EXPECT_TRUE(absl::StrContains(text, "connection"));
  unlink(path.c_str());
}

TEST_F(HooksTest, TasksArePrintedOnQuit) {
  Runtime::Builder builder;
  builder.Workers(2).DumpTasksOnQuit().Listen("127.0.0.1:0", Echo);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UniqueFd client = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(Ask(client.get(), "a"), "a");
  // Opened by a task that does not hold up the launch.
  struct sigaction action = {};
  do {
    sigaction(SIGQUIT, nullptr, &action);
  } while (action.sa_handler == SIG_DFL);
  ::testing::internal::CaptureStderr();
  ASSERT_EQ(kill(getpid(), SIGQUIT), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(absl::StrContains(said, "worker 1: ")) << said;
  EXPECT_TRUE(absl::StrContains(said, "connection 127.0.0.1:")) << said;
}

TEST_F(HooksTest, DescribeListsEverySetting) {
  ListenerOptions named;
  named.name = "public";
  ThreadPoolOptions pool;
  pool.max_threads = 3;
  pool.max_queued = 4;
  Runtime::Builder builder = OneWorker();
  builder.Workers(3)
      .BlockingPool(pool)
      .Listen("127.0.0.1:0", Echo, named)
      .MaxConnections(7, WhenFull::kWait)
      .LameDuck(absl::Seconds(2))
      .Balance(Balancing::kChunked, 5);
  const std::string text = builder.Describe();
  for (const std::string_view line :
       {"workers: 3\n", "listen: public (127.0.0.1:0), backlog 4096\n",
        "max_connections (per worker): 7\n", "when_full: wait\n",
        "lame_duck: 2s\n", "drain_deadline: 10s\n", "balancing: chunked\n",
        "chunk: 5\n", "blocking_pool: 3 threads, 4 queued, the runtime's own\n",
        "resolver: 8 threads, 1000 queued, the process's\n",
        "spawner: 4 threads, 10000 queued, the process's\n"}) {
    EXPECT_TRUE(absl::StrContains(text, line)) << text;
  }
}

}  // namespace
}  // namespace ringway
