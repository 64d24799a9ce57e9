// SPDX-License-Identifier: Apache-2.0
//
// How a runtime begins: settings, workers, ports.

#include "ringway/runtime/runtime.h"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/listening/listen_socket.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

using ringway::testing::KernelSockets;

using net::SocketAddress;
using net::testing::Bytes;
using net::testing::ReceiveAll;
using net::testing::ShortDirectory;
using net::testing::ValueOf;
using testing::CountOpenFds;

// Settings were checked one by one as mistakes came up: those that overflowed,
// meant nothing, or left a server that serves nobody were not.
TEST_F(RuntimeTest, NamesABadSettingAndStartsNothing) {
  struct Case {
    void (*configure)(Runtime::Builder&);
    std::string_view message;
  };
  const Case cases[] = {
      {[](Runtime::Builder& b) { b.Workers(0); }, "Workers is 0"},
      {[](Runtime::Builder& b) { b.Workers(-1); }, "Workers is -1"},
      {[](Runtime::Builder& b) { b.Workers(1025); }, "must be 1 to 1024"},
      {[](Runtime::Builder& b) { b.MaxConnections(0); }, "MaxConnections"},
      {[](Runtime::Builder& b) { b.Listen("nonsense", Echo); }, "nonsense"},
      {[](Runtime::Builder& b) { b.Listen("127.0.0.1:0", nullptr); },
       "Listen(\"127.0.0.1:0\") has no handler"},
      {[](Runtime::Builder& b) { b.Pin(INT_MAX); }, "Pin is 2147483647"},
      {[](Runtime::Builder& b) { b.Pin(1024); },
       "Pin is 1024, must be at most 1023 with Workers 1"},
      {[](Runtime::Builder& b) { b.Pin(1023).Workers(2); },
       "Pin is 1023, must be at most 1022 with Workers 2"},
      {[](Runtime::Builder& b) { b.DrainDeadline(absl::Nanoseconds(-1)); },
       "DrainDeadline is -1ns"},
      {[](Runtime::Builder& b) { b.DrainDeadline(-absl::InfiniteDuration()); },
       "DrainDeadline is -inf, must be 0 or more"},
      {[](Runtime::Builder& b) {
         ExecutorOptions options;
         options.max_tasks = 0;
         b.Options(options).Workers(3);
       },
       "max_tasks is 0"},
      // It launched, and refused every connection.
      {[](Runtime::Builder& b) {
         ExecutorOptions options;
         options.max_tasks = 4;
         b.Options(options)
             .Listen("127.0.0.1:0", Echo)
             .Listen("127.0.0.1:0", Echo);
       },
       "ExecutorOptions::max_tasks is 4, must be at least 5: "},
      {[](Runtime::Builder& b) {
         ExecutorOptions options;
         options.loop.backend.receive_memory_bytes = 1'000;
         b.Options(options).Workers(3);
       },
       "BackendOptions::receive_memory_bytes is 1000, must be at least "},
  };
  for (const Case& c : cases) {
    std::atomic<int> started{0};
    Runtime::Builder builder = OneWorker();
    builder.OnStart([&]() -> Task<absl::Status> {
      ++started;
      co_return absl::OkStatus();
    });
    c.configure(builder);
    const absl::Status status = builder.Launch().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), c.message)) << status;
    EXPECT_EQ(started, 0);
    ExpectNothingIsLeft();
  }
}

TEST_F(RuntimeTest, NamesTheWorkerThatCannotBePinned) {
  Runtime::Builder builder = OneWorker();
  builder.Workers(2).Pin(1000).Listen("127.0.0.1:0", Echo);
  const absl::Status status = builder.Launch().status();
  EXPECT_EQ(ErrnoOf(status), EINVAL);
  EXPECT_TRUE(absl::StrContains(status.message(), "worker 0 to CPU 1000"))
      << status;
}

TEST_F(RuntimeTest, PinsAWorkerToItsCpu) {
  std::promise<void> pinned;
  Runtime::Builder builder = OneWorker();
  builder.Pin(0).OnStart([&]() -> Task<absl::Status> {
    cpu_set_t set;
    EXPECT_EQ(pthread_getaffinity_np(pthread_self(), sizeof(set), &set), 0);
    EXPECT_EQ(CPU_COUNT(&set), 1);
    EXPECT_TRUE(CPU_ISSET(0, &set));
    pinned.set_value();
    co_return absl::OkStatus();
  });
  std::unique_ptr<Runtime> runtime = Launch(builder);
  pinned.get_future().wait();
}

TEST_F(RuntimeTest, LaunchesAllOrNothing) {
  net::ListenOptions exclusive;
  SocketFd taken = ValueOf(net::MakeListenSocket(
      KernelSockets(), ValueOf(SocketAddress::Parse("127.0.0.1:0")),
      exclusive));
  const SocketAddress in_use =
      ValueOf(SocketAddress::LocalOf(KernelSockets(), taken.get()));
  // A port that is free: the kernel chose it a moment ago.
  SocketAddress free_address;
  {
    SocketFd fd = ValueOf(net::MakeListenSocket(
        KernelSockets(), ValueOf(SocketAddress::Parse("127.0.0.1:0")),
        exclusive));
    free_address = ValueOf(SocketAddress::LocalOf(KernelSockets(), fd.get()));
  }
  const size_t fds_before = CountOpenFds();
  for (const int workers : {1, 3}) {
    std::atomic<int> started{0};
    Runtime::Builder builder = OneWorker();
    builder.Workers(workers)
        .OnStart([&]() -> Task<absl::Status> {
          ++started;
          co_return absl::OkStatus();
        })
        .Listen(free_address.ToString(), Echo)
        .Listen(in_use.ToString(), Echo);
    const absl::Status status = builder.Launch().status();
    EXPECT_EQ(ErrnoOf(status), EADDRINUSE);
    EXPECT_TRUE(absl::StrContains(status.message(), in_use.ToString()))
        << status;
    EXPECT_EQ(started, 0);
    EXPECT_EQ(CountOpenFds(), fds_before);

    Runtime::Builder again = OneWorker();
    again.Workers(workers).Listen(free_address.ToString(), Echo);
    std::unique_ptr<Runtime> runtime = Launch(again);
    UniqueFd client = ConnectTo(free_address);
    EXPECT_EQ(Ask(client.get(), "hello"), "hello");
  }
}

// Workers share their port through SO_REUSEPORT, and the kernel lets any
// process of the same user join. A second server on the same port used to start
// and take half of the first one's connections.
TEST_F(RuntimeTest, RefusesAPortThatAnotherRuntimeSharesAmongItsWorkers) {
  Runtime::Builder builder = OneWorker();
  builder.Workers(2).Listen("127.0.0.1:0", Echo);
  std::unique_ptr<Runtime> first = Launch(builder);
  Runtime::Builder second = OneWorker();
  second.Workers(2).Listen(first->addresses()[0].ToString(), Echo);
  EXPECT_EQ(ErrnoOf(second.Launch().status()), EADDRINUSE);

  Runtime::Builder twice = OneWorker();
  const std::string port = first->addresses()[0].ToString();
  first.reset();
  twice.Workers(2).Listen(port, Echo).Listen(port, Echo);
  EXPECT_EQ(ErrnoOf(twice.Launch().status()), EADDRINUSE);
}

TEST_F(RuntimeTest, ReportsThePortsTheKernelChose) {
  ShortDirectory directory;
  const std::string path = absl::StrCat("unix:", directory.PathOf("s"));
  Runtime::Builder builder = OneWorker();
  builder.Workers(2)
      .Listen("127.0.0.1:0", Echo)
      .Listen(path, Echo)
      .Listen("[::1]:0", Echo);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  ASSERT_EQ(runtime->addresses().size(), 3u);
  EXPECT_NE(runtime->addresses()[0].port(), 0);
  EXPECT_EQ(runtime->addresses()[1].ToString(), path);
  EXPECT_NE(runtime->addresses()[2].port(), 0);
  EXPECT_FALSE(runtime->backend_description().empty());
  for (const SocketAddress& address : runtime->addresses()) {
    UniqueFd client = ConnectTo(address);
    EXPECT_EQ(Ask(client.get(), "hello"), "hello") << address.ToString();
  }
}

TEST_F(RuntimeTest, WorkersShareAPort) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  auto serve = [&](net::TcpStream stream) -> Task<absl::Status> {
    {
      std::lock_guard<std::mutex> lock(mutex);
      threads.insert(std::this_thread::get_id());
    }
    co_return co_await stream.Write(Bytes("."));
  };
  Runtime::Builder builder = OneWorker();
  builder.Workers(2).Listen("127.0.0.1:0", serve);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  for (int i = 0; i < 64; ++i)
    EXPECT_EQ(ReceiveAll(ConnectTo(runtime->addresses()[0]).get()), ".");
  runtime->Shutdown();
  const RuntimeReport report = runtime->Wait();
  EXPECT_EQ(report.accepted, 64u);
  EXPECT_EQ(report.ended_ok, 64u);
  EXPECT_TRUE(report.drained());
  EXPECT_EQ(threads.size(), 2u);
}

TEST_F(RuntimeTest, RunsOnStartOncePerWorkerAndCountsFailures) {
  std::mutex mutex;
  std::vector<std::thread::id> threads;
  std::promise<void> all_started;
  auto start = [&]() -> Task<absl::Status> {
    std::lock_guard<std::mutex> lock(mutex);
    threads.push_back(std::this_thread::get_id());
    if (threads.size() == 3) all_started.set_value();
    if (threads.size() == 1) throw std::runtime_error("one throws");
    if (threads.size() == 2) co_return absl::InternalError("one fails");
    co_return absl::OkStatus();
  };
  Runtime::Builder builder = OneWorker();
  builder.Workers(3).OnStart(start);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  all_started.get_future().wait();
  runtime->Shutdown();
  EXPECT_EQ(runtime->Wait().start_failed, 2u);
  EXPECT_EQ(threads.size(), 3u);
  EXPECT_EQ(std::set<std::thread::id>(threads.begin(), threads.end()).size(),
            3u);
}

}  // namespace
}  // namespace ringway
