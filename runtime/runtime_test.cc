// SPDX-License-Identifier: Apache-2.0
//
// How a runtime begins and serves: settings, ports, limits, failing handlers.

#include "ringway/runtime/runtime.h"

#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <exception>
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
#include "ringway/net/listen_socket.h"
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
         options.loop.backend.receive_buffer_count = 0;
         b.Options(options).Workers(3);
       },
       "receive_buffer_count"},
  };
  for (const Case& c : cases) {
    std::atomic<int> started{0};
    Runtime::Builder builder;
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
  Runtime::Builder builder;
  builder.Workers(2).Pin(1000).Listen("127.0.0.1:0", Echo);
  const absl::Status status = builder.Launch().status();
  EXPECT_EQ(ErrnoOf(status), EINVAL);
  EXPECT_TRUE(absl::StrContains(status.message(), "worker 0 to CPU 1000"))
      << status;
}

TEST_F(RuntimeTest, PinsAWorkerToItsCpu) {
  std::promise<void> pinned;
  Runtime::Builder builder;
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
    Runtime::Builder builder;
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

    Runtime::Builder again;
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
  Runtime::Builder builder;
  builder.Workers(2).Listen("127.0.0.1:0", Echo);
  std::unique_ptr<Runtime> first = Launch(builder);
  Runtime::Builder second;
  second.Workers(2).Listen(first->addresses()[0].ToString(), Echo);
  EXPECT_EQ(ErrnoOf(second.Launch().status()), EADDRINUSE);

  Runtime::Builder twice;
  const std::string port = first->addresses()[0].ToString();
  first.reset();
  twice.Workers(2).Listen(port, Echo).Listen(port, Echo);
  EXPECT_EQ(ErrnoOf(twice.Launch().status()), EADDRINUSE);
}

TEST_F(RuntimeTest, ReportsThePortsTheKernelChose) {
  ShortDirectory directory;
  const std::string path = absl::StrCat("unix:", directory.PathOf("s"));
  Runtime::Builder builder;
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
  Runtime::Builder builder;
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
  Runtime::Builder builder;
  builder.Workers(3).OnStart(start);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  all_started.get_future().wait();
  runtime->Shutdown();
  EXPECT_EQ(runtime->Wait().start_failed, 2u);
  EXPECT_EQ(threads.size(), 3u);
  EXPECT_EQ(std::set<std::thread::id>(threads.begin(), threads.end()).size(),
            3u);
}

// --- Serving

TEST_F(RuntimeTest, CountsStatusesByCode) {
  auto answer = [](net::TcpStream stream) -> Task<absl::Status> {
    std::array<std::byte, 1> code;
    absl::StatusOr<size_t> n = co_await stream.Read(code);
    if (!n.ok() || *n == 0) co_return absl::DataLossError("no code");
    co_return absl::Status(static_cast<absl::StatusCode>(code[0]), "asked for");
  };
  Runtime::Builder builder;
  builder.Workers(2).Listen("127.0.0.1:0", answer);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  for (const char code : {0, 5, 5, 16, 0, 5}) {
    UniqueFd client = ConnectTo(runtime->addresses()[0]);
    testing::SendAll(client.get(), std::string(1, code));
    EXPECT_EQ(ReceiveAll(client.get()), "");
  }
  runtime->Shutdown();
  const RuntimeReport report = runtime->Wait();
  std::array<uint64_t, 17> expected = {};
  expected[0] = 2;
  expected[5] = 3;
  expected[16] = 1;
  EXPECT_EQ(report.ended_by_code, expected);
  EXPECT_EQ(report.ended_ok, 2u);
  EXPECT_EQ(report.ended_error, 4u);
}

TEST_F(RuntimeTest, AnExceptionEndsItsConnectionAndNoOther) {
  auto serve = [](net::TcpStream stream) -> Task<absl::Status> {
    std::array<std::byte, 1> byte;
    while (true) {
      const size_t n = ValueOf(co_await stream.Read(byte));
      if (n == 0) co_return absl::OkStatus();
      if (byte[0] == std::byte{'!'}) throw std::runtime_error("as asked");
      if (byte[0] == std::byte{'?'}) co_return absl::InternalError("as asked");
      absl::Status sent = co_await stream.Write(byte);
      if (!sent.ok()) co_return sent;
    }
  };
  Runtime::Builder builder;
  builder.Listen("127.0.0.1:0", serve);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  const SocketAddress address = runtime->addresses()[0];
  UniqueFd good = ConnectTo(address);
  UniqueFd throws = ConnectTo(address);
  UniqueFd fails = ConnectTo(address);
  EXPECT_EQ(Ask(good.get(), "a"), "a");
  testing::SendAll(throws.get(), "!");
  testing::SendAll(fails.get(), "?");
  EXPECT_EQ(ReceiveAll(throws.get()), "");
  EXPECT_EQ(ReceiveAll(fails.get()), "");
  EXPECT_EQ(Ask(good.get(), "b"), "b");
  good.Reset();
  runtime->Shutdown();
  const RuntimeReport report = runtime->Wait();
  EXPECT_EQ(report.accepted, 3u);
  EXPECT_EQ(report.ended_ok, 1u);
  EXPECT_EQ(report.ended_throw, 1u);
  EXPECT_EQ(report.ended_error, 1u);
  EXPECT_TRUE(report.drained());
}

TEST_F(RuntimeTest, AHandlerThatThrowsBeforeItIsATaskIsCountedToo) {
  auto serve = [](net::TcpStream) -> Task<absl::Status> {
    throw std::runtime_error("no task");
  };
  Runtime::Builder builder;
  builder.Listen("127.0.0.1:0", serve);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  EXPECT_EQ(ReceiveAll(ConnectTo(runtime->addresses()[0]).get()), "");
  runtime->Shutdown();
  EXPECT_EQ(runtime->Wait().ended_throw, 1u);
}

TEST_F(RuntimeTest, RefusesConnectionsBeyondTheLimitAndTakesThemAgainLater) {
  Runtime::Builder builder;
  builder.MaxConnections(2).Listen("127.0.0.1:0", Echo);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  const SocketAddress address = runtime->addresses()[0];
  UniqueFd first = ConnectTo(address);
  UniqueFd second = ConnectTo(address);
  EXPECT_EQ(Ask(first.get(), "a"), "a");
  EXPECT_EQ(Ask(second.get(), "b"), "b");
  EXPECT_EQ(ReceiveAll(ConnectTo(address).get()), "");
  EXPECT_EQ(ReceiveAll(ConnectTo(address).get()), "");
  EXPECT_EQ(Ask(first.get(), "c"), "c");
  // The server's side closing tells us that its place is free.
  ASSERT_EQ(shutdown(first.get(), SHUT_WR), 0);
  EXPECT_EQ(ReceiveAll(first.get()), "");
  std::string answer;
  uint64_t tries = 0;
  while (answer != "d") {
    UniqueFd third = ConnectTo(address);
    answer.assign(1, '\0');
    ++tries;
    static_cast<void>(send(third.get(), "d", 1, MSG_NOSIGNAL));
    if (recv(third.get(), answer.data(), 1, 0) != 1) answer.clear();
  }
  second.Reset();
  runtime->Shutdown();
  const RuntimeReport report = runtime->Wait();
  EXPECT_EQ(report.accepted, 3u);
  EXPECT_EQ(report.refused, 2u + tries - 1);
}

// A connection that could not become a task used to stay counted for ever: the
// drain waited for it, and it took a place.
TEST_F(RuntimeTest, RefusesAConnectionForWhichThereIsNoTask) {
  ExecutorOptions options;
  options.max_tasks = 3;  // the worker's two and one connection
  Runtime::Builder builder;
  builder.Options(options).Listen("127.0.0.1:0", Echo);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UniqueFd first = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(Ask(first.get(), "a"), "a");
  EXPECT_EQ(ReceiveAll(ConnectTo(runtime->addresses()[0]).get()), "");
  ASSERT_EQ(shutdown(first.get(), SHUT_WR), 0);
  EXPECT_EQ(ReceiveAll(first.get()), "");
  runtime->Shutdown();
  const RuntimeReport report = runtime->Wait();
  EXPECT_EQ(report.accepted, 1u);
  EXPECT_EQ(report.refused, 1u);
  EXPECT_EQ(report.cut, 0u);
}

// The listening socket of this process, or -1.
int FindListener() {
  for (int fd = 0; fd < 1024; ++fd) {
    int listens = 0;
    socklen_t n = sizeof(listens);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) == 0 &&
        listens != 0) {
      return fd;
    }
  }
  return -1;
}

// An accept that failed for good used to end the task that accepts with a
// status that was looked at by nothing.
TEST_F(RuntimeTest, AListenerThatFailsIsReportedAndCountedAndTheRestGoesOn) {
  Runtime::Builder builder;
  builder.Listen("127.0.0.1:0", Echo);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UniqueFd client = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(Ask(client.get(), "a"), "a");
  testing::FdPair output = testing::MakePipe();
  const UniqueFd stderr_before(dup(STDERR_FILENO));
  dup2(output.second.get(), STDERR_FILENO);

  ASSERT_EQ(shutdown(FindListener(), SHUT_RDWR), 0);
  std::array<char, 256> buffer;
  const ssize_t n = read(output.first.get(), buffer.data(), buffer.size());
  dup2(stderr_before.get(), STDERR_FILENO);
  const std::string reported(buffer.data(), n > 0 ? n : 0);

  EXPECT_TRUE(absl::StrContains(
      reported, absl::StrCat("worker 0 no longer accepts on 127.0.0.1:0: ",
                             "errno ", EINVAL)))
      << reported;
  EXPECT_EQ(Ask(client.get(), "b"), "b");
  client.Reset();
  runtime->Shutdown();
  const RuntimeReport report = runtime->Wait();
  EXPECT_EQ(report.listeners_failed, 1u);
  EXPECT_EQ(report.refused, 0u);
  EXPECT_TRUE(report.drained());
}

// --- Functions from outside

// One that threw ended the process.
TEST_F(RuntimeTest, APostedFunctionThatThrowsIsCountedAndTheServerGoesOn) {
  std::atomic<int> reported{0};
  ExecutorOptions options;
  options.on_detached_exception = [&](const std::exception_ptr&) {
    ++reported;
  };
  Runtime::Builder builder;
  builder.Options(options).Listen("127.0.0.1:0", Echo);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  const ExecutorHandle worker = runtime->workers()[0];
  EXPECT_TRUE(worker.Post([] { throw std::runtime_error("on purpose"); }).ok());
  {
    UniqueFd client = ConnectTo(runtime->addresses()[0]);
    EXPECT_EQ(Ask(client.get(), "a"), "a");
  }
  runtime->Shutdown();
  const RuntimeReport report = runtime->Wait();
  EXPECT_EQ(report.exceptions, 1u);
  EXPECT_EQ(reported, 1);
  EXPECT_EQ(report.ended_ok, 1u);
}

TEST_F(RuntimeTest, ReportsWhatTheLoopsOfAllWorkersDid) {
  std::atomic<bool> spins{false};
  auto serve = [&](net::TcpStream stream) -> Task<absl::Status> {
    spins = Executor::Current()->loop().backend().can_peek();
    co_return co_await stream.Write(Bytes("."));
  };
  ExecutorOptions options;
  options.loop.spin = SpinMode::kFixed;
  Runtime::Builder builder;
  builder.Workers(2).Options(options).Listen("127.0.0.1:0", serve);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  for (int i = 0; i < 16; ++i)
    EXPECT_EQ(ReceiveAll(ConnectTo(runtime->addresses()[0]).get()), ".");
  runtime->Shutdown();
  const RuntimeReport report = runtime->Wait();
  // An accept and a write each.
  EXPECT_GE(report.operations, 32u);
  EXPECT_GT(report.turns, 16u);
  EXPECT_GT(report.system_calls, 16u);
  EXPECT_EQ(report.spins > 0, spins) << report.spins;
}

}  // namespace
}  // namespace ringway
