// SPDX-License-Identifier: Apache-2.0
//
// How a runtime serves: what its report counts, limits, failing handlers and
// listeners, functions from outside.

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

using net::SocketAddress;
using net::testing::Bytes;
using net::testing::ReceiveAll;
using net::testing::ValueOf;

TEST_F(RuntimeTest, CountsStatusesByCode) {
  auto answer = [](net::TcpStream stream) -> Task<absl::Status> {
    std::array<std::byte, 1> code;
    absl::StatusOr<size_t> n = co_await stream.Read(code);
    if (!n.ok() || *n == 0) co_return absl::DataLossError("no code");
    co_return absl::Status(static_cast<absl::StatusCode>(code[0]), "asked for");
  };
  Runtime::Builder builder = OneWorker();
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
  Runtime::Builder builder = OneWorker();
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
  Runtime::Builder builder = OneWorker();
  builder.Listen("127.0.0.1:0", serve);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  EXPECT_EQ(ReceiveAll(ConnectTo(runtime->addresses()[0]).get()), "");
  runtime->Shutdown();
  EXPECT_EQ(runtime->Wait().ended_throw, 1u);
}

TEST_F(RuntimeTest, RefusesConnectionsBeyondTheLimitAndTakesThemAgainLater) {
  Runtime::Builder builder = OneWorker();
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
  Runtime::Builder builder = OneWorker();
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
  Runtime::Builder builder = OneWorker();
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
      reported, absl::StrCat("ringway: no longer accepts on 127.0.0.1:0: ",
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
  Runtime::Builder builder = OneWorker();
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
  Runtime::Builder builder = OneWorker();
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
